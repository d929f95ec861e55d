"use strict";
// Nothing of another host: no validator, no fonts. Tokens are typed in and kept in memory alone.
SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: "none",
});
