// What the pages gain with script: local times, the word of a lost connection, all boxes of a table
// at once, copying. Live changes are htmx's.
"use strict";

(() => {
  const pad = (number) => String(number).padStart(2, "0");

  function localTimes(root) {
    const today = new Date().toDateString();
    for (const element of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
      const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
      if ("short" in element.dataset) element.textContent = clock.slice(0, 5);
      else element.textContent = at.toDateString() === today ? clock : `${day} ${clock.slice(0, 5)}`;
      element.dataset.local = "";
    }
  }

  function linked(alive) {
    const shown = document.getElementById("link");
    if (shown) shown.hidden = alive;
    document.documentElement.dataset.live = alive ? "on" : "lost";
  }

  // Where a stream says that the session has ended, the page asks for it again: the login comes.
  function followed(source) {
    if (source.bootzFollowed) return;
    source.bootzFollowed = true;
    source.addEventListener("ended", () => {
      source.close();
      window.location.reload();
    });
  }

  function selection(form) {
    const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
    const all = form.querySelector("thead input[type=checkbox]");
    const told = form.querySelector("[data-selected]");
    const tell = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      if (all) {
        all.checked = chosen > 0 && chosen === boxes.length;
        all.indeterminate = chosen > 0 && chosen < boxes.length;
      }
      if (told) told.textContent = chosen ? `${chosen} selected` : "";
    };
    if (all) {
      all.closest("label, th").hidden = false;
      all.addEventListener("change", () => {
        for (const box of boxes) box.checked = all.checked;
        tell();
      });
    }
    for (const box of boxes) box.addEventListener("change", tell);
    tell();
  }

  function drop(area) {
    const input = area.querySelector("input[type=file]");
    for (const name of ["dragover", "dragleave", "drop"]) {
      area.addEventListener(name, (event) => {
        event.preventDefault();
        area.classList.toggle("over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) {
          input.files = event.dataTransfer.files;
          input.dispatchEvent(new Event("change", { bubbles: true }));
        }
      });
    }
  }

  function megabytes(octets) {
    return `${(octets / 1048576).toFixed(1)} MiB`;
  }

  // Sends a form with a large file as the browser would, and shows how far it is.
  function upload(form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const shown = form.querySelector("[data-progress]");
      const [words, bar, button] = [shown.querySelector("span"), shown.querySelector("progress"), form.querySelector("button")];
      const request = new XMLHttpRequest();
      const failed = (text) => {
        words.textContent = text;
        button.disabled = false;
      };
      request.open("POST", form.action);
      request.upload.addEventListener("progress", (told) => {
        bar.max = told.total;
        bar.value = told.loaded;
        words.textContent = told.loaded < told.total ? `${megabytes(told.loaded)} of ${megabytes(told.total)}` : "The digest is computed";
      });
      request.addEventListener("error", () => failed("The connection was lost. Nothing was kept; send it again."));
      request.addEventListener("load", () => {
        if (request.status < 400) {
          window.location.assign(request.responseURL);
          return;
        }
        failed("It was refused.");
        const answer = new DOMParser().parseFromString(request.responseText, "text/html");
        const told = document.createElement("div");
        told.className = "problem";
        told.setAttribute("role", "alert");
        for (const part of answer.querySelectorAll("main .reason, main .next")) told.append(document.importNode(part, true));
        form.append(told);
      });
      form.querySelector(".problem")?.remove();
      shown.hidden = false;
      button.disabled = true;
      request.send(new FormData(form));
    });
  }

  function ready(root) {
    localTimes(root);
    root.querySelectorAll("form[data-selection]").forEach(selection);
    root.querySelectorAll("[data-drop]").forEach(drop);
    root.querySelectorAll("form[data-upload]").forEach(upload);
    for (const button of root.querySelectorAll("button[data-copy]")) {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.classList.add("copied");
      });
    }
    for (const button of root.querySelectorAll("button[data-print]")) {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    ready(document);
    // What answers a form has no address of its own: reload leads to the page of the form.
    const address = document.body.dataset.address;
    if (address) window.history.replaceState(null, "", address);
  });
  document.addEventListener("htmx:load", (event) => ready(event.detail.elt));
  document.addEventListener("htmx:oobAfterSwap", (event) => localTimes(event.detail.target.parentNode || document));
  document.addEventListener("htmx:sseOpen", (event) => {
    linked(true);
    followed(event.detail.source);
  });
  document.addEventListener("htmx:sseError", (event) => {
    linked(false);
    followed(event.detail.source);
  });
  // A page out of the browser's memory shows what was; it is read again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
})();
