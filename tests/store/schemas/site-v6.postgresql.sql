--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: account; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL,
    role character varying(16) NOT NULL,
    password text NOT NULL,
    subject text,
    enabled boolean NOT NULL,
    created_at character varying(27) NOT NULL,
    last_login character varying(27)
);


--
-- Name: account_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: account_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.account_id_seq OWNED BY public.account.id;


--
-- Name: api_token; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_token (
    id bigint NOT NULL,
    name text NOT NULL,
    digest character varying(64) NOT NULL,
    role character varying(16) NOT NULL,
    scope text NOT NULL,
    created_at character varying(27) NOT NULL,
    created_by text NOT NULL,
    expires_at character varying(27),
    used_at character varying(27),
    revoked_at character varying(27)
);


--
-- Name: api_token_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.api_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: api_token_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.api_token_id_seq OWNED BY public.api_token.id;


--
-- Name: attempt; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.attempt (
    id bigint NOT NULL,
    chassis_id bigint,
    number integer NOT NULL,
    claimed_manufacturer text NOT NULL,
    claimed_serial text NOT NULL,
    serial_folded text NOT NULL,
    proven_serial text NOT NULL,
    idevid_fingerprint text NOT NULL,
    peer text NOT NULL,
    dialect text NOT NULL,
    nonce_digest text NOT NULL,
    refusal_key character varying(64),
    started_at character varying(27) NOT NULL,
    updated_at character varying(27) NOT NULL,
    state character varying(16) NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    checks text NOT NULL,
    sent text NOT NULL,
    image_bytes bigint NOT NULL,
    downloads integer NOT NULL,
    reports integer NOT NULL,
    repeats integer NOT NULL,
    events integer NOT NULL,
    image_position bigint DEFAULT '0'::bigint NOT NULL,
    image_size bigint DEFAULT '0'::bigint NOT NULL,
    written text DEFAULT ''::text NOT NULL
);


--
-- Name: audit; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at character varying(27) NOT NULL,
    actor text NOT NULL,
    origin text NOT NULL,
    verb text NOT NULL,
    object text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    outcome text NOT NULL,
    previous character varying(64) NOT NULL,
    digest character varying(64) NOT NULL
);


--
-- Name: card; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.card (
    id bigint NOT NULL,
    chassis_id bigint NOT NULL,
    serial text NOT NULL,
    part_number text NOT NULL,
    slot text NOT NULL,
    kind character varying(8) NOT NULL,
    mac text NOT NULL,
    client_id text NOT NULL,
    duid text NOT NULL,
    tpm_version character varying(4) NOT NULL,
    tpm_ek bytea,
    tpm_ppk bytea,
    tpm_key bytea,
    tpm_ek_certificate bytea
);


--
-- Name: card_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.card_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: card_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.card_id_seq OWNED BY public.card.id;


--
-- Name: chassis; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.chassis (
    id bigint NOT NULL,
    vendor_id bigint NOT NULL,
    serial text NOT NULL,
    part_number text NOT NULL,
    hostname text NOT NULL,
    modular boolean NOT NULL,
    boot_mode character varying(8) NOT NULL,
    release character varying(8),
    streaming boolean NOT NULL,
    skip_idevid_serial_check boolean NOT NULL,
    voucher_delivery character varying(8) NOT NULL,
    dynamic_config character varying(8) NOT NULL,
    profile_id bigint,
    variables text NOT NULL,
    overrides text NOT NULL,
    dhcp text NOT NULL,
    url_tag character varying(32) NOT NULL,
    revision bigint NOT NULL,
    hold_since character varying(27),
    hold_note text DEFAULT ''::text NOT NULL
);


--
-- Name: chassis_label; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.chassis_label (
    chassis_id bigint NOT NULL,
    key character varying(63) NOT NULL,
    value text NOT NULL
);


--
-- Name: event; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event (
    id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    at character varying(27) NOT NULL,
    kind character varying(16) NOT NULL,
    data text NOT NULL
);


--
-- Name: event_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: event_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.event_id_seq OWNED BY public.event.id;


--
-- Name: idempotent_answer; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotent_answer (
    principal text NOT NULL,
    key character varying(255) NOT NULL,
    request character varying(64) NOT NULL,
    status integer NOT NULL,
    headers text NOT NULL,
    body bytea NOT NULL,
    at character varying(27) NOT NULL
);


--
-- Name: ignored_stranger; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ignored_stranger (
    serial_folded text NOT NULL,
    serial text NOT NULL,
    note text NOT NULL,
    at character varying(27) NOT NULL
);


--
-- Name: image; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.image (
    id bigint NOT NULL,
    kind character varying(8) NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    file_name text NOT NULL,
    size bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    added_at character varying(27) NOT NULL
);


--
-- Name: image_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.image_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: image_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.image_id_seq OWNED BY public.image.id;


--
-- Name: image_upload; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.image_upload (
    id character varying(32) NOT NULL,
    principal text NOT NULL,
    wanted text NOT NULL,
    size bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    begun_at character varying(27) NOT NULL,
    used_at character varying(27) NOT NULL
);


--
-- Name: image_use; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.image_use (
    id bigint NOT NULL,
    image_id bigint NOT NULL,
    profile_id bigint,
    chassis_id bigint
);


--
-- Name: image_use_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.image_use_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: image_use_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.image_use_id_seq OWNED BY public.image_use.id;


--
-- Name: login_link; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.login_link (
    digest character varying(64) NOT NULL,
    account_id bigint NOT NULL,
    expires_at character varying(27) NOT NULL
);


--
-- Name: login_session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.login_session (
    digest character varying(64) NOT NULL,
    account_id bigint NOT NULL,
    peer text NOT NULL,
    began_at character varying(27) NOT NULL,
    used_at character varying(27) NOT NULL,
    expires_at character varying(27) NOT NULL
);


--
-- Name: meta; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.meta (
    key character varying(64) NOT NULL,
    value bigint NOT NULL
);


--
-- Name: pending_replacement; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pending_replacement (
    id bigint NOT NULL,
    chassis_id bigint NOT NULL,
    serial text NOT NULL,
    serial_folded text NOT NULL,
    slot text NOT NULL,
    part_number text NOT NULL,
    proven_serial text NOT NULL,
    evidence text NOT NULL,
    peer text NOT NULL,
    first_seen character varying(27) NOT NULL,
    last_seen character varying(27) NOT NULL,
    state character varying(16) NOT NULL
);


--
-- Name: pending_replacement_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.pending_replacement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: pending_replacement_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.pending_replacement_id_seq OWNED BY public.pending_replacement.id;


--
-- Name: profile; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.profile (
    id bigint NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL,
    description text NOT NULL,
    document text NOT NULL
);


--
-- Name: profile_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.profile_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: profile_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.profile_id_seq OWNED BY public.profile.id;


--
-- Name: seat; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.seat (
    id bigint NOT NULL,
    chassis_id bigint NOT NULL,
    slot text NOT NULL,
    serial text NOT NULL,
    part_number text NOT NULL,
    since character varying(27) NOT NULL,
    last_seen character varying(27) NOT NULL
);


--
-- Name: seat_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.seat_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: seat_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.seat_id_seq OWNED BY public.seat.id;


--
-- Name: serial; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.serial (
    serial_folded text NOT NULL,
    vendor_id bigint NOT NULL,
    chassis_id bigint NOT NULL
);


--
-- Name: site_certificate; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.site_certificate (
    "position" integer NOT NULL,
    role character varying(16) NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    key_is text NOT NULL,
    brought boolean NOT NULL,
    chain text NOT NULL
);


--
-- Name: site_secret; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.site_secret (
    name character varying(64) NOT NULL,
    value bytea NOT NULL
);


--
-- Name: source; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.source (
    name character varying(40) NOT NULL,
    failed_at character varying(27),
    reason text NOT NULL,
    detail text NOT NULL,
    failures integer NOT NULL,
    faults text NOT NULL
);


--
-- Name: source_chassis; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.source_chassis (
    chassis_id bigint NOT NULL,
    source character varying(40) NOT NULL,
    device character varying(64) NOT NULL,
    url text NOT NULL,
    status text NOT NULL,
    said text NOT NULL,
    gone integer NOT NULL,
    "left" boolean NOT NULL,
    held boolean NOT NULL,
    pushed text NOT NULL,
    push_after character varying(27),
    push_tries integer NOT NULL,
    push_reason text NOT NULL
);


--
-- Name: vendor; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.vendor (
    id bigint NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL,
    aliases text NOT NULL,
    ien text NOT NULL,
    idevid_ca text NOT NULL,
    intermediates text NOT NULL,
    voucher_ca text NOT NULL,
    settings text NOT NULL
);


--
-- Name: vendor_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.vendor_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: vendor_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.vendor_id_seq OWNED BY public.vendor.id;


--
-- Name: voucher; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.voucher (
    id bigint NOT NULL,
    vendor_id bigint NOT NULL,
    serial text NOT NULL,
    serial_folded text NOT NULL,
    pinned_sha256 character varying(64) NOT NULL,
    sha256 character varying(64) NOT NULL,
    raw bytea NOT NULL,
    created_on character varying(27),
    expires_on character varying(27),
    assertion character varying(16) NOT NULL,
    encoding character varying(8) NOT NULL,
    signer text NOT NULL,
    warnings text NOT NULL,
    stored_at character varying(27) NOT NULL
);


--
-- Name: voucher_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.voucher_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: voucher_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.voucher_id_seq OWNED BY public.voucher.id;


--
-- Name: webhook; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook (
    id bigint NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL,
    url text NOT NULL,
    events text NOT NULL,
    labels text NOT NULL,
    secret bytea NOT NULL,
    enabled boolean NOT NULL,
    taken bigint NOT NULL,
    delivered bigint NOT NULL,
    delivered_at character varying(27),
    created_at character varying(27) NOT NULL,
    created_by text NOT NULL
);


--
-- Name: webhook_delivery; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_delivery (
    id bigint NOT NULL,
    webhook_id bigint NOT NULL,
    event_id bigint NOT NULL,
    type character varying(64) NOT NULL,
    lane text NOT NULL,
    body bytea NOT NULL,
    state character varying(8) NOT NULL,
    tries integer NOT NULL,
    since character varying(27) NOT NULL,
    next_at character varying(27) NOT NULL,
    error text NOT NULL
);


--
-- Name: webhook_delivery_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.webhook_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: webhook_delivery_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.webhook_delivery_id_seq OWNED BY public.webhook_delivery.id;


--
-- Name: webhook_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.webhook_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: webhook_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.webhook_id_seq OWNED BY public.webhook.id;


--
-- Name: account id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account ALTER COLUMN id SET DEFAULT nextval('public.account_id_seq'::regclass);


--
-- Name: api_token id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_token ALTER COLUMN id SET DEFAULT nextval('public.api_token_id_seq'::regclass);


--
-- Name: card id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.card ALTER COLUMN id SET DEFAULT nextval('public.card_id_seq'::regclass);


--
-- Name: event id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event ALTER COLUMN id SET DEFAULT nextval('public.event_id_seq'::regclass);


--
-- Name: image id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image ALTER COLUMN id SET DEFAULT nextval('public.image_id_seq'::regclass);


--
-- Name: image_use id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_use ALTER COLUMN id SET DEFAULT nextval('public.image_use_id_seq'::regclass);


--
-- Name: pending_replacement id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pending_replacement ALTER COLUMN id SET DEFAULT nextval('public.pending_replacement_id_seq'::regclass);


--
-- Name: profile id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.profile ALTER COLUMN id SET DEFAULT nextval('public.profile_id_seq'::regclass);


--
-- Name: seat id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seat ALTER COLUMN id SET DEFAULT nextval('public.seat_id_seq'::regclass);


--
-- Name: vendor id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.vendor ALTER COLUMN id SET DEFAULT nextval('public.vendor_id_seq'::regclass);


--
-- Name: voucher id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.voucher ALTER COLUMN id SET DEFAULT nextval('public.voucher_id_seq'::regclass);


--
-- Name: webhook id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook ALTER COLUMN id SET DEFAULT nextval('public.webhook_id_seq'::regclass);


--
-- Name: webhook_delivery id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_delivery ALTER COLUMN id SET DEFAULT nextval('public.webhook_delivery_id_seq'::regclass);


--
-- Data for Name: account; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.account VALUES (1, 'anna', 'anna', 'operator', '', NULL, true, '2026-11-28T18:00:00.000000Z', NULL);


--
-- Data for Name: api_token; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.api_token VALUES (1, 'netops', '4444444444444444444444444444444444444444444444444444444444444444', 'viewer', '', '2026-11-28T18:00:00.000000Z', 'anna', NULL, NULL, NULL);


--
-- Data for Name: attempt; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.attempt VALUES (1, 1, 1, 'Bootz Labs', 'STORY1RP0', 'story1rp0', 'STORY1RP0', '6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515', '127.0.0.1:60076', 'current', '72155396f64f1756f5575a2665103277e3c2f6aad21f7c34e9c4314e3512b446', NULL, '2026-11-28T18:28:52.948841Z', '2026-11-28T18:28:52.948841Z', 'answered', '', '', '[["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","Bootz Labs STORY1RP0"],["idevid-chain","passed","a CA of Bootz Labs","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-serial","passed","","STORY1RP0"],["nonce","passed","","present"],["cards","passed","","STORY1RP0, STORY1RP1"],["voucher","passed","","story1rp0"]]', '{"payload_sha256":"dae45eccb18d8ddb46b70b62dd64a68c93440d20029130b7fc13a805fae87a84","signed":"yes","voucher_sha256":"b1a537649597d6c74435c576d13541cd0f608103566bf1334f4f2f0b04df382f","written_as":"current","answer_bytes":8950}', 0, 0, 0, 0, 1, 0, 0, 'current');
INSERT INTO public.attempt VALUES (2, 1, 2, 'Bootz Labs', 'STORY1RP0', 'story1rp0', 'STORY1RP0', '6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515', '127.0.0.1:60098', 'current', 'bb37125896b037341a59bfab37186bf25fb4f1a7b717655da7659fc9cec43623', NULL, '2026-11-28T18:28:53.102951Z', '2026-11-28T18:28:53.418482Z', 'success', '', 'the router is operational', '[["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","Bootz Labs STORY1RP0"],["idevid-chain","passed","a CA of Bootz Labs","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-serial","passed","","STORY1RP0"],["nonce","passed","","present"],["cards","passed","","STORY1RP1"],["voucher","passed","","story1rp1"]]', '{"payload_sha256":"8079fe5d8f7e548cad5cdf540612c9cde1cb94885894f5efed20088cbccdcd85","signed":"yes","voucher_sha256":"a85e377197731550f04644827f0d5719f81ab2999fe4c26159d7f4470fe26144","written_as":"current","answer_bytes":6728}', 25165824, 1, 2, 0, 4, 0, 0, 'current');
INSERT INTO public.attempt VALUES (3, 1, 3, 'Bootz Labs', 'STORY1RP0', 'story1rp0', 'STORY1RP0', '6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515', '127.0.0.1:60114', 'current', '70eb1bca4a39780575fd4a5a480e06d7e4791602100b881a4cd73a62794a6c46', NULL, '2026-11-28T18:28:53.481087Z', '2026-11-28T18:28:53.574988Z', 'success', '', 'the router is operational', '[["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","Bootz Labs STORY1RP0"],["idevid-chain","passed","a CA of Bootz Labs","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-serial","passed","","STORY1RP0"],["nonce","passed","","present"],["cards","passed","","STORY1LC0"],["voucher","passed","","story1lc0"]]', '{"payload_sha256":"77192781132ad081817b6fba9362bfd9334ceba35a1056b4ed1a0c2515f2a5e1","signed":"yes","voucher_sha256":"477ed5f479e5a0bb56541dfaa442200139470a46c15aa6188cbde7ee69813dc0","written_as":"current","answer_bytes":6727}', 0, 0, 1, 0, 2, 0, 0, 'current');
INSERT INTO public.attempt VALUES (4, 1, 4, 'Bootz Labs', 'STORY1RP0', 'story1rp0', 'STORY1RP0', '6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515', '127.0.0.1:60124', 'current', '80276dda9584e149599ff8c2cc2d03e78425628b7796c8cdc065b9b49c00d25b', NULL, '2026-11-28T18:28:53.793027Z', '2026-11-28T18:28:53.833484Z', 'success', '', 'the router is operational on the other cards; card STORY1NEW in slot RP1 is shut down: contact-refused', '[["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","Bootz Labs STORY1RP0"],["idevid-chain","passed","a CA of Bootz Labs","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-serial","passed","","STORY1RP0"],["nonce","passed","","present"],["cards","failed","STORY1RP0, STORY1RP1, STORY1LC0","STORY1NEW"]]', '{}', 0, 0, 1, 0, 2, 0, 0, '');
INSERT INTO public.attempt VALUES (5, 1, 5, 'Bootz Labs', 'STORY1RP0', 'story1rp0', 'STORY1RP0', '6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515', '127.0.0.1:60156', 'current', '76c61b2b5d5c38fdb8e7a69871836f355bdc43c88a804e95d00eaffa7ad3fd3a', NULL, '2026-11-28T18:28:54.863072Z', '2026-11-28T18:28:54.933027Z', 'success', '', 'the router is operational', '[["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","Bootz Labs STORY1RP0"],["idevid-chain","passed","a CA of Bootz Labs","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-serial","passed","","STORY1RP0"],["nonce","passed","","present"],["cards","passed","","STORY1NEW"],["voucher","passed","","story1new"]]', '{"payload_sha256":"3816cb9417feff8d1ba8ad57ab93d2abdac81bc0dc204599d3a647094690fe00","signed":"yes","voucher_sha256":"1b8f22fa8b3c2a8c521ad60c1809a1102edf1105e8c1d0e2a161dc57d8950b37","written_as":"current","answer_bytes":6727}', 0, 0, 1, 0, 2, 0, 0, 'current');
INSERT INTO public.attempt VALUES (6, 1, 6, 'Bootz Labs', 'STORY1RP0', 'story1rp0', 'STORY1RP0', '6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515', '127.0.0.1:60184', 'current', 'a244ea1a2ce3640629cfe18031ab0429dd617c04d7218b6122ced89e1f6f32d2', NULL, '2026-11-28T18:28:55.030810Z', '2026-11-28T18:28:55.074794Z', 'success', '', 'the router is operational on the other cards; card STORY1BAD in slot LC1 is shut down: card-tampered', '[["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","Bootz Labs STORY1RP0"],["idevid-chain","passed","a CA of Bootz Labs","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-serial","passed","","STORY1RP0"],["nonce","passed","","present"],["cards","failed","STORY1RP0, STORY1LC0, STORY1NEW","STORY1BAD"]]', '{}', 0, 0, 1, 0, 2, 0, 0, '');


--
-- Data for Name: audit; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit VALUES (1, '2026-11-28T18:00:00.000000Z', 'uid 0 (root)', 'command line', 'chassis.hold', 'STORY1', '{}', '{}', 'done', '0000000000000000000000000000000000000000000000000000000000000000', '1111111111111111111111111111111111111111111111111111111111111111');


--
-- Data for Name: card; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.card VALUES (1, 1, 'STORY1RP0', '', 'RP0', 'control', '', '', '', '', NULL, NULL, NULL, NULL);
INSERT INTO public.card VALUES (2, 1, 'STORY1LC0', '', 'LC0', 'line', '', '', '', '', NULL, NULL, NULL, NULL);
INSERT INTO public.card VALUES (3, 1, 'STORY1NEW', 'BOOTZ-RP', 'RP1', 'control', '', '', '', '', NULL, NULL, NULL, NULL);


--
-- Data for Name: chassis; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.chassis VALUES (1, 1, 'STORY1', 'BOOTZ-8000', 'lab-story1', true, 'secure', NULL, true, false, 'single', 'merge', 1, '{}', '{}', '{}', 'vtJonht5c5YqscZk', 9, '2026-11-28T18:00:00.000000Z', 'waits for power');


--
-- Data for Name: chassis_label; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.chassis_label VALUES (1, 'site', 'osl');


--
-- Data for Name: event; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event VALUES (1, 1, '2026-11-28T18:28:52.948841Z', 'answered', '{"rpc":"GetBootstrapData","dialect":"current","peer":"127.0.0.1:60076","answered":["STORY1RP0","STORY1RP1"]}');
INSERT INTO public.event VALUES (2, 2, '2026-11-28T18:28:53.102951Z', 'answered', '{"rpc":"GetBootstrapData","dialect":"current","peer":"127.0.0.1:60082","answered":["STORY1RP1"]}');
INSERT INTO public.event VALUES (3, 2, '2026-11-28T18:28:53.172650Z', 'report', '{"rpc":"ReportStatus","dialect":"current","peer":"127.0.0.1:60094","detail":"onboarding has begun","status":"INITIATED","cards":[["STORY1RP0","NOT_INITIALIZED"],["STORY1RP1","NOT_INITIALIZED"]],"checks":[["report-form","passed","","INITIATED"],["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-chain","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","STORY1RP0"],["report-cards","passed","","STORY1RP0, STORY1RP1"]]}');
INSERT INTO public.event VALUES (4, 2, '2026-11-28T18:28:53.285013Z', 'download', '{"file_name":"lab-os-2.0.img","sha256":"93ada37e3d79fc866482210eb8a1e6e1b373b583f59cdb4cd198dd2fc709ede5","peer":"127.0.0.1:44234","start":0,"bytes_sent":25165824,"size":25165824,"complete":true}');
INSERT INTO public.event VALUES (5, 2, '2026-11-28T18:28:53.418482Z', 'report', '{"rpc":"ReportStatus","dialect":"current","peer":"127.0.0.1:60098","detail":"the router is operational","status":"SUCCESS","cards":[["STORY1RP0","INITIALIZED"],["STORY1RP1","INITIALIZED"]],"checks":[["report-form","passed","","SUCCESS"],["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-chain","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","STORY1RP0"],["report-cards","passed","","STORY1RP0, STORY1RP1"]]}');
INSERT INTO public.event VALUES (6, 3, '2026-11-28T18:28:53.481087Z', 'answered', '{"rpc":"GetBootstrapData","dialect":"current","peer":"127.0.0.1:60108","answered":["STORY1LC0"]}');
INSERT INTO public.event VALUES (7, 3, '2026-11-28T18:28:53.574988Z', 'report', '{"rpc":"ReportStatus","dialect":"current","peer":"127.0.0.1:60114","detail":"the router is operational","status":"SUCCESS","cards":[["STORY1RP0","INITIALIZED"],["STORY1LC0","INITIALIZED"]],"checks":[["report-form","passed","","SUCCESS"],["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-chain","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","STORY1RP0"],["report-cards","passed","","STORY1RP0, STORY1LC0"]]}');
INSERT INTO public.event VALUES (8, 4, '2026-11-28T18:28:53.793027Z', 'refused', '{"rpc":"GetBootstrapData","dialect":"current","peer":"127.0.0.1:60118","reason":"cards-unknown","detail":"chassis_descriptor.control_cards: none of the listed cards is one that this chassis shall get data for","foreign":["STORY1NEW"]}');
INSERT INTO public.event VALUES (9, 4, '2026-11-28T18:28:53.833484Z', 'report', '{"rpc":"ReportStatus","dialect":"current","peer":"127.0.0.1:60124","detail":"the router is operational on the other cards; card STORY1NEW in slot RP1 is shut down: contact-refused","status":"SUCCESS","cards":[["STORY1RP0","INITIALIZED"]],"checks":[["report-form","passed","","SUCCESS"],["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-chain","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","STORY1RP0"],["report-cards","passed","","STORY1RP0"]]}');
INSERT INTO public.event VALUES (10, 5, '2026-11-28T18:28:54.863072Z', 'answered', '{"rpc":"GetBootstrapData","dialect":"current","peer":"127.0.0.1:60140","answered":["STORY1NEW"]}');
INSERT INTO public.event VALUES (11, 5, '2026-11-28T18:28:54.933027Z', 'report', '{"rpc":"ReportStatus","dialect":"current","peer":"127.0.0.1:60156","detail":"the router is operational","status":"SUCCESS","cards":[["STORY1RP0","INITIALIZED"],["STORY1NEW","INITIALIZED"]],"checks":[["report-form","passed","","SUCCESS"],["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-chain","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","STORY1RP0"],["report-cards","passed","","STORY1RP0, STORY1NEW"]]}');
INSERT INTO public.event VALUES (12, 6, '2026-11-28T18:28:55.030810Z', 'refused', '{"rpc":"GetBootstrapData","dialect":"current","peer":"127.0.0.1:60168","reason":"cards-unknown","detail":"chassis_descriptor.control_cards: none of the listed cards is one that this chassis shall get data for","foreign":["STORY1BAD"]}');
INSERT INTO public.event VALUES (13, 6, '2026-11-28T18:28:55.074794Z', 'report', '{"rpc":"ReportStatus","dialect":"current","peer":"127.0.0.1:60184","detail":"the router is operational on the other cards; card STORY1BAD in slot LC1 is shut down: card-tampered","status":"SUCCESS","cards":[["STORY1RP0","INITIALIZED"]],"checks":[["report-form","passed","","SUCCESS"],["client-certificate","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["idevid-chain","passed","","6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515"],["chassis-on-record","passed","","STORY1RP0"],["report-cards","passed","","STORY1RP0"]]}');


--
-- Data for Name: idempotent_answer; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.idempotent_answer VALUES ('token:1', 'a-key', '5555555555555555555555555555555555555555555555555555555555555555', 201, '{}', '\x7b7d', '2026-11-28T18:00:00.000000Z');


--
-- Data for Name: ignored_stranger; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.ignored_stranger VALUES ('fox9', 'FOX9', 'a lab router', '2026-11-28T18:00:00.000000Z');


--
-- Data for Name: image; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.image VALUES (1, 'image', 'lab-os', '2.0', 'lab-os-2.0.img', 25165824, '93ada37e3d79fc866482210eb8a1e6e1b373b583f59cdb4cd198dd2fc709ede5', '2026-11-28T18:28:49.090327Z');


--
-- Data for Name: image_upload; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.image_upload VALUES ('66666666666666666666666666666666', 'token:1', '{}', 4096, '7777777777777777777777777777777777777777777777777777777777777777', '2026-11-28T18:00:00.000000Z', '2026-11-28T18:00:00.000000Z');


--
-- Data for Name: image_use; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.image_use VALUES (1, 1, 1, NULL);


--
-- Data for Name: login_link; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.login_link VALUES ('2222222222222222222222222222222222222222222222222222222222222222', 1, '2026-11-29T18:00:00.000000Z');


--
-- Data for Name: login_session; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.login_session VALUES ('3333333333333333333333333333333333333333333333333333333333333333', 1, '192.0.2.7', '2026-11-28T18:00:00.000000Z', '2026-11-28T18:00:00.000000Z', '2026-11-29T06:00:00.000000Z');


--
-- Data for Name: meta; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.meta VALUES ('revision', 10);
INSERT INTO public.meta VALUES ('shared_revision', 4);
INSERT INTO public.meta VALUES ('chassis', 1);
INSERT INTO public.meta VALUES ('journal', 6);
INSERT INTO public.meta VALUES ('schema', 6);


--
-- Data for Name: pending_replacement; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.pending_replacement VALUES (1, 1, 'STORY1BAD', 'story1bad', 'LC1', 'BOOTZ-RP', 'STORY1RP0', '6975eb481f9d89af310587283916ebb6f136bd550c5b491293bd2291da72a515', '127.0.0.1:60168', '2026-11-28T18:28:55.030810Z', '2026-11-28T18:28:55.030810Z', 'pending');


--
-- Data for Name: profile; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.profile VALUES (1, 'lab', 'lab', '', '{"image":{"name":"lab-os","version":"2.0"},"vendor_config":"hostname {{ chassis.hostname }}\n!\ninterface MgmtEth0/RP0/CPU0/0\n description {{ variables.site }} {{ chassis.serial_number }}\n ipv4 address dhcp\n!\n","variables":{"site":"lab"}}');


--
-- Data for Name: seat; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.seat VALUES (1, 1, 'RP0', 'STORY1RP0', 'BOOTZ-RP', '2026-11-28T18:28:52.948841Z', '2026-11-28T18:28:52.948841Z');
INSERT INTO public.seat VALUES (2, 1, 'RP1', 'STORY1RP1', 'BOOTZ-RP', '2026-11-28T18:28:52.948841Z', '2026-11-28T18:28:53.102951Z');
INSERT INTO public.seat VALUES (3, 1, 'LC0', 'STORY1LC0', 'BOOTZ-RP', '2026-11-28T18:28:53.481087Z', '2026-11-28T18:28:53.481087Z');
INSERT INTO public.seat VALUES (4, 1, 'RP1', 'STORY1NEW', 'BOOTZ-RP', '2026-11-28T18:28:54.863072Z', '2026-11-28T18:28:54.863072Z');


--
-- Data for Name: serial; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.serial VALUES ('story1', 1, 1);
INSERT INTO public.serial VALUES ('story1lc0', 1, 1);
INSERT INTO public.serial VALUES ('story1new', 1, 1);
INSERT INTO public.serial VALUES ('story1rp0', 1, 1);


--
-- Data for Name: site_certificate; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.site_certificate VALUES (0, 'owner', 'owner-1', 'active', 'a file', false, '-----BEGIN CERTIFICATE-----');


--
-- Data for Name: site_secret; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.site_secret VALUES ('door', '\x7b7d');


--
-- Data for Name: source; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.source VALUES ('netbox', '2026-11-28T18:00:00.000000Z', 'source-unreachable', 'no answer', 2, '[]');


--
-- Data for Name: source_chassis; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.source_chassis VALUES (1, 'netbox', '17', 'https://netbox.example/dcim/devices/17/', 'planned', '{}', 0, false, false, '', NULL, 0, '');


--
-- Data for Name: vendor; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.vendor VALUES (1, 'Bootz Labs', 'bootz labs', '[]', '32473', '-----BEGIN CERTIFICATE-----
MIIB1jCCAX2gAwIBAgIQBPp4D64mozktjEx9vP99NTAKBggqhkjOPQQDAjA6MRMw
EQYDVQQKDApCb290eiBMYWJzMSMwIQYDVQQDDBpCb290eiBMYWJzIG1hbnVmYWN0
dXJlciBDQTAgFw0yNjExMjcxODI4NDdaGA85OTk5MTIzMTIzNTk1OVowOjETMBEG
A1UECgwKQm9vdHogTGFiczEjMCEGA1UEAwwaQm9vdHogTGFicyBtYW51ZmFjdHVy
ZXIgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQxIn+6xyphtO8nmlp4Dryu
biaKbCJM1owZ1CJF0ux5wXRnKXkBOBiYNHGQ7goVJ+8ZLaVCgaISIu7K5WHNMdra
o2MwYTAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQU
F+X3SW06jcktbAIeWTFOy0UDJoMwHwYDVR0jBBgwFoAUF+X3SW06jcktbAIeWTFO
y0UDJoMwCgYIKoZIzj0EAwIDRwAwRAIgba9yAuxtBdaytkYtxlhn2CTY6c/2Z29R
mZ332Yq3sO0CIAPD7ULoaHVu1z1Z7uakDVR/Q56D1ypjKQsyqAljRxLq
-----END CERTIFICATE-----
', '', '', '{"voucher_source":{"ovgs":"127.0.0.1:36655","cert_id":"cert-688cccd3-8f84-48b7-9be0-4a58bb8faf44","token_file":"/srv/lab/site/ovgs.token","tls_roots":"/srv/lab/masa/keys/root.pem"}}');


--
-- Data for Name: voucher; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.voucher VALUES (1, 1, 'STORY1RP0', 'story1rp0', '8b50efbad0074c1255dd00b7e581211a232d491a4d4cf0120c3a1ec32e2468fe', 'b1a537649597d6c74435c576d13541cd0f608103566bf1334f4f2f0b04df382f', '\x30820a6706092a864886f70d010702a0820a5830820a54020103310d300b060960864801650304020130820563060b2a864886f70d0109100128a08205520482054e7b22696574662d766f75636865723a766f7563686572223a7b22637265617465642d6f6e223a22323032362d31312d32385431383a32383a34392e3536343737355a222c22657870697265732d6f6e223a22323032372d30312d32375431383a32383a34375a222c22617373657274696f6e223a227665726966696564222c2273657269616c2d6e756d626572223a2253544f525931525030222c2270696e6e65642d646f6d61696e2d63657274223a224d494944557a4343416a75674177494241674951666677737051535273444a786c526e4871485a4c6f54414e42676b71686b69473977304241517346414441794d524977454159445651514b44416c4d59574967623364755a5849784844416142674e5642414d4d45304a766233523649484270626d356c5a43426b62323168615734774942634e4d6a59784d5449334d5467794f445133576867504d6a41314e6a45784d6a41784f4449344e4464614d444978456a415142674e5642416f4d43557868596942766432356c636a45634d426f474131554541777754516d397664486f6763476c75626d566b4947527662574670626a4343415349774451594a4b6f5a496876634e4151454242514144676745504144434341516f4367674542414a324335594d2f64496365414979567a443837526831685a7667414c4f6e467a62554933744c7335465137316f536b5630456b3062392f357a57715a4c6a566d394d564b52334f5131574c704450316a73336a35656a6f5937546b48704a51676f676e342f372b2b584c6f72344674534d2f504636393355783038344367786f666d6568584f77674a5176542f4966384276373477335a62624f6e7453456d4d686d4d56454948427945334b41677767456230542f486159704c6f6950764a7877514b58465270625758666e6c4b4541516e5674374f4f61585a4b795a785038625634676b66473373497463386f5a3361747a363570524f6133704a4c5777774c2b43436b564b2f5668794968755955427a30764e474d32656b77654643352b6e694c70626832473457477251594b6b726469616976487434306e665536686d3133665733462b7541594e6d3776476b484231696f38434177454141614e6a4d47457744775944565230544151482f42415577417745422f7a414f42674e56485138424166384542414d4341515977485159445652304f42425945464850717175744e76692f7a756238436c6c2f2f4d583333446867444d42384741315564497751594d426141464850717175744e76692f7a756238436c6c2f2f4d583333446867444d41304743537147534962334451454243775541413449424151414d4267654b4c6142346e367a77414946412f445437384d51644e4d50774473735039487845622f62545530613449334c58376d6346585531544a756464756f795954434376525771466b576859734248626d6537646a36666d524e504570696f42626d4251726d78485445453051784970375041375957394f4c48613574687248674d416548795a69647979764a662b6b734a374f4e67544a492b426c4c546f776a6c5232477150354d72313842425542587953433274657a3239636f662f36436162566b67487a6b7476586a3972337750304e69784e68706f624b536b4846384230634b427657507038474c4942534a4e644a344f5562645a484666776d67333467523372554441783179444364536f4574715248303431744374486a395a5648672f312b7162667a4257786a6779765a3151676c54666f70755349425266423877706c417668334b43575a584b6e664b546951222c22646f6d61696e2d636572742d7265766f636174696f6e2d636865636b73223a66616c73657d7da08203ae308201d030820177a003020102021051ca7905caad196b854e14eb4da5fc19300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341301e170d3236313132383138323334375a170d3336313132353138323834375a303931133011060355040a0c0a426f6f747a204c6162733122302006035504030c19426f6f747a204c61627320766f7563686572207369676e65723059301306072a8648ce3d020106082a8648ce3d03010703420004b8a8d7d8c0d7127b95339e64d07f763a32e589040b1ae55988d2c292c25985d5a4a0062be3d1530102b4bcf075bc278462e258a6f2ce39fecfaaac6d200a23dda360305e300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d0e04160414d15eb66500052a5d326bbe945548ad28df2af282301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d04030203470030440220396f14be81b0daf6b9daa3f8a8096c6605c4ad6752bbfd4c83e70b2aa4f30d0702201995e6ef9bd47f6ee888dc575d252399dc242531dc54e1bc5e59a1a4ff982d1c308201d63082017da003020102021004fa780fae26a3392d8c4c7dbcff7d35300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413020170d3236313132373138323834375a180f39393939313233313233353935395a303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413059301306072a8648ce3d020106082a8648ce3d0301070342000431227fbac72a61b4ef279a5a780ebcae6e268a6c224cd68c19d42245d2ec79c17467297901381898347190ee0a1527ef192da54281a21222eecae561cd31dadaa3633061300f0603551d130101ff040530030101ff300e0603551d0f0101ff040403020106301d0603551d0e0416041417e5f7496d3a8dc92d6c021e59314ecb45032683301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d040302034700304402206daf7202ec6d05d6b2b6462dc65867d824d8e9cff6676f51999df7d98ab7b0ed022003c3ed42e868756ed73d59eee6a40d547f439e83d72a63290b32a809634712ea3182012530820121020101304e303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341021051ca7905caad196b854e14eb4da5fc19300b0609608648016503040201a06b301a06092a864886f70d010903310d060b2a864886f70d0109100128301c06092a864886f70d010905310f170d3236313132383138323834395a302f06092a864886f70d010904312204207e02db1247f3252e70eecf73809973185aab101b6e2066063a8db96786d348aa300a06082a8648ce3d04030204463044022005bcd42a3d1496c6033ba36b8d0891236f30645e69745f2b16a154138d20780002200711cf7b05150056e971177cfb805591ee6b6042971916080e1f4e3caae53b20', '2026-11-28T18:28:49.564775Z', '2027-01-27T18:28:47.000000Z', 'verified', 'json', 'CN=Bootz Labs voucher signer,O=Bootz Labs', '[]', '2026-11-28T18:28:49.604939Z');
INSERT INTO public.voucher VALUES (2, 1, 'STORY1RP1', 'story1rp1', '8b50efbad0074c1255dd00b7e581211a232d491a4d4cf0120c3a1ec32e2468fe', 'a85e377197731550f04644827f0d5719f81ab2999fe4c26159d7f4470fe26144', '\x30820a6906092a864886f70d010702a0820a5a30820a56020103310d300b060960864801650304020130820563060b2a864886f70d0109100128a08205520482054e7b22696574662d766f75636865723a766f7563686572223a7b22637265617465642d6f6e223a22323032362d31312d32385431383a32383a34392e3537313438345a222c22657870697265732d6f6e223a22323032372d30312d32375431383a32383a34375a222c22617373657274696f6e223a227665726966696564222c2273657269616c2d6e756d626572223a2253544f525931525031222c2270696e6e65642d646f6d61696e2d63657274223a224d494944557a4343416a75674177494241674951666677737051535273444a786c526e4871485a4c6f54414e42676b71686b69473977304241517346414441794d524977454159445651514b44416c4d59574967623364755a5849784844416142674e5642414d4d45304a766233523649484270626d356c5a43426b62323168615734774942634e4d6a59784d5449334d5467794f445133576867504d6a41314e6a45784d6a41784f4449344e4464614d444978456a415142674e5642416f4d43557868596942766432356c636a45634d426f474131554541777754516d397664486f6763476c75626d566b4947527662574670626a4343415349774451594a4b6f5a496876634e4151454242514144676745504144434341516f4367674542414a324335594d2f64496365414979567a443837526831685a7667414c4f6e467a62554933744c7335465137316f536b5630456b3062392f357a57715a4c6a566d394d564b52334f5131574c704450316a73336a35656a6f5937546b48704a51676f676e342f372b2b584c6f72344674534d2f504636393355783038344367786f666d6568584f77674a5176542f4966384276373477335a62624f6e7453456d4d686d4d56454948427945334b41677767456230542f486159704c6f6950764a7877514b58465270625758666e6c4b4541516e5674374f4f61585a4b795a785038625634676b66473373497463386f5a3361747a363570524f6133704a4c5777774c2b43436b564b2f5668794968755955427a30764e474d32656b77654643352b6e694c70626832473457477251594b6b726469616976487434306e665536686d3133665733462b7541594e6d3776476b484231696f38434177454141614e6a4d47457744775944565230544151482f42415577417745422f7a414f42674e56485138424166384542414d4341515977485159445652304f42425945464850717175744e76692f7a756238436c6c2f2f4d583333446867444d42384741315564497751594d426141464850717175744e76692f7a756238436c6c2f2f4d583333446867444d41304743537147534962334451454243775541413449424151414d4267654b4c6142346e367a77414946412f445437384d51644e4d50774473735039487845622f62545530613449334c58376d6346585531544a756464756f795954434376525771466b576859734248626d6537646a36666d524e504570696f42626d4251726d78485445453051784970375041375957394f4c48613574687248674d416548795a69647979764a662b6b734a374f4e67544a492b426c4c546f776a6c5232477150354d72313842425542587953433274657a3239636f662f36436162566b67487a6b7476586a3972337750304e69784e68706f624b536b4846384230634b427657507038474c4942534a4e644a344f5562645a484666776d67333467523372554441783179444364536f4574715248303431744374486a395a5648672f312b7162667a4257786a6779765a3151676c54666f70755349425266423877706c417668334b43575a584b6e664b546951222c22646f6d61696e2d636572742d7265766f636174696f6e2d636865636b73223a66616c73657d7da08203ae308201d030820177a003020102021051ca7905caad196b854e14eb4da5fc19300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341301e170d3236313132383138323334375a170d3336313132353138323834375a303931133011060355040a0c0a426f6f747a204c6162733122302006035504030c19426f6f747a204c61627320766f7563686572207369676e65723059301306072a8648ce3d020106082a8648ce3d03010703420004b8a8d7d8c0d7127b95339e64d07f763a32e589040b1ae55988d2c292c25985d5a4a0062be3d1530102b4bcf075bc278462e258a6f2ce39fecfaaac6d200a23dda360305e300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d0e04160414d15eb66500052a5d326bbe945548ad28df2af282301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d04030203470030440220396f14be81b0daf6b9daa3f8a8096c6605c4ad6752bbfd4c83e70b2aa4f30d0702201995e6ef9bd47f6ee888dc575d252399dc242531dc54e1bc5e59a1a4ff982d1c308201d63082017da003020102021004fa780fae26a3392d8c4c7dbcff7d35300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413020170d3236313132373138323834375a180f39393939313233313233353935395a303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413059301306072a8648ce3d020106082a8648ce3d0301070342000431227fbac72a61b4ef279a5a780ebcae6e268a6c224cd68c19d42245d2ec79c17467297901381898347190ee0a1527ef192da54281a21222eecae561cd31dadaa3633061300f0603551d130101ff040530030101ff300e0603551d0f0101ff040403020106301d0603551d0e0416041417e5f7496d3a8dc92d6c021e59314ecb45032683301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d040302034700304402206daf7202ec6d05d6b2b6462dc65867d824d8e9cff6676f51999df7d98ab7b0ed022003c3ed42e868756ed73d59eee6a40d547f439e83d72a63290b32a809634712ea3182012730820123020101304e303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341021051ca7905caad196b854e14eb4da5fc19300b0609608648016503040201a06b301a06092a864886f70d010903310d060b2a864886f70d0109100128301c06092a864886f70d010905310f170d3236313132383138323834395a302f06092a864886f70d010904312204208f6ec8545096094bff9a369b7ecfb120442df5f33f0ef05b40db16b74d2d2450300a06082a8648ce3d04030204483046022100e3fa74572bbb55da359f4c38bdfdb3f85268ed4bf841deeebfaafd7a7b1b2f10022100af475927f7b7c451e521f181b89644bdf68b1fdf568751366d176e5df67fe3f7', '2026-11-28T18:28:49.571484Z', '2027-01-27T18:28:47.000000Z', 'verified', 'json', 'CN=Bootz Labs voucher signer,O=Bootz Labs', '[]', '2026-11-28T18:28:49.652472Z');
INSERT INTO public.voucher VALUES (3, 1, 'STORY1LC0', 'story1lc0', '8b50efbad0074c1255dd00b7e581211a232d491a4d4cf0120c3a1ec32e2468fe', '477ed5f479e5a0bb56541dfaa442200139470a46c15aa6188cbde7ee69813dc0', '\x30820a6806092a864886f70d010702a0820a5930820a55020103310d300b060960864801650304020130820563060b2a864886f70d0109100128a08205520482054e7b22696574662d766f75636865723a766f7563686572223a7b22637265617465642d6f6e223a22323032362d31312d32385431383a32383a34392e3537353433365a222c22657870697265732d6f6e223a22323032372d30312d32375431383a32383a34375a222c22617373657274696f6e223a227665726966696564222c2273657269616c2d6e756d626572223a2253544f5259314c4330222c2270696e6e65642d646f6d61696e2d63657274223a224d494944557a4343416a75674177494241674951666677737051535273444a786c526e4871485a4c6f54414e42676b71686b69473977304241517346414441794d524977454159445651514b44416c4d59574967623364755a5849784844416142674e5642414d4d45304a766233523649484270626d356c5a43426b62323168615734774942634e4d6a59784d5449334d5467794f445133576867504d6a41314e6a45784d6a41784f4449344e4464614d444978456a415142674e5642416f4d43557868596942766432356c636a45634d426f474131554541777754516d397664486f6763476c75626d566b4947527662574670626a4343415349774451594a4b6f5a496876634e4151454242514144676745504144434341516f4367674542414a324335594d2f64496365414979567a443837526831685a7667414c4f6e467a62554933744c7335465137316f536b5630456b3062392f357a57715a4c6a566d394d564b52334f5131574c704450316a73336a35656a6f5937546b48704a51676f676e342f372b2b584c6f72344674534d2f504636393355783038344367786f666d6568584f77674a5176542f4966384276373477335a62624f6e7453456d4d686d4d56454948427945334b41677767456230542f486159704c6f6950764a7877514b58465270625758666e6c4b4541516e5674374f4f61585a4b795a785038625634676b66473373497463386f5a3361747a363570524f6133704a4c5777774c2b43436b564b2f5668794968755955427a30764e474d32656b77654643352b6e694c70626832473457477251594b6b726469616976487434306e665536686d3133665733462b7541594e6d3776476b484231696f38434177454141614e6a4d47457744775944565230544151482f42415577417745422f7a414f42674e56485138424166384542414d4341515977485159445652304f42425945464850717175744e76692f7a756238436c6c2f2f4d583333446867444d42384741315564497751594d426141464850717175744e76692f7a756238436c6c2f2f4d583333446867444d41304743537147534962334451454243775541413449424151414d4267654b4c6142346e367a77414946412f445437384d51644e4d50774473735039487845622f62545530613449334c58376d6346585531544a756464756f795954434376525771466b576859734248626d6537646a36666d524e504570696f42626d4251726d78485445453051784970375041375957394f4c48613574687248674d416548795a69647979764a662b6b734a374f4e67544a492b426c4c546f776a6c5232477150354d72313842425542587953433274657a3239636f662f36436162566b67487a6b7476586a3972337750304e69784e68706f624b536b4846384230634b427657507038474c4942534a4e644a344f5562645a484666776d67333467523372554441783179444364536f4574715248303431744374486a395a5648672f312b7162667a4257786a6779765a3151676c54666f70755349425266423877706c417668334b43575a584b6e664b546951222c22646f6d61696e2d636572742d7265766f636174696f6e2d636865636b73223a66616c73657d7da08203ae308201d030820177a003020102021051ca7905caad196b854e14eb4da5fc19300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341301e170d3236313132383138323334375a170d3336313132353138323834375a303931133011060355040a0c0a426f6f747a204c6162733122302006035504030c19426f6f747a204c61627320766f7563686572207369676e65723059301306072a8648ce3d020106082a8648ce3d03010703420004b8a8d7d8c0d7127b95339e64d07f763a32e589040b1ae55988d2c292c25985d5a4a0062be3d1530102b4bcf075bc278462e258a6f2ce39fecfaaac6d200a23dda360305e300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d0e04160414d15eb66500052a5d326bbe945548ad28df2af282301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d04030203470030440220396f14be81b0daf6b9daa3f8a8096c6605c4ad6752bbfd4c83e70b2aa4f30d0702201995e6ef9bd47f6ee888dc575d252399dc242531dc54e1bc5e59a1a4ff982d1c308201d63082017da003020102021004fa780fae26a3392d8c4c7dbcff7d35300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413020170d3236313132373138323834375a180f39393939313233313233353935395a303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413059301306072a8648ce3d020106082a8648ce3d0301070342000431227fbac72a61b4ef279a5a780ebcae6e268a6c224cd68c19d42245d2ec79c17467297901381898347190ee0a1527ef192da54281a21222eecae561cd31dadaa3633061300f0603551d130101ff040530030101ff300e0603551d0f0101ff040403020106301d0603551d0e0416041417e5f7496d3a8dc92d6c021e59314ecb45032683301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d040302034700304402206daf7202ec6d05d6b2b6462dc65867d824d8e9cff6676f51999df7d98ab7b0ed022003c3ed42e868756ed73d59eee6a40d547f439e83d72a63290b32a809634712ea3182012630820122020101304e303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341021051ca7905caad196b854e14eb4da5fc19300b0609608648016503040201a06b301a06092a864886f70d010903310d060b2a864886f70d0109100128301c06092a864886f70d010905310f170d3236313132383138323834395a302f06092a864886f70d010904312204206f2b3a25137e9b685144d69e733bf333a07008d201a8feb63440d2570d74c7da300a06082a8648ce3d04030204473045022100f4e4059ed5b1891555c76be929ee3f1eb7e7b9dcd5eb322d3691fca96ee7c1240220528450e4bebc3dfc578da21332160d697d1a2b2344070993e941bd548d51f9bc', '2026-11-28T18:28:49.575436Z', '2027-01-27T18:28:47.000000Z', 'verified', 'json', 'CN=Bootz Labs voucher signer,O=Bootz Labs', '[]', '2026-11-28T18:28:49.660343Z');
INSERT INTO public.voucher VALUES (4, 1, 'STORY1NEW', 'story1new', '8b50efbad0074c1255dd00b7e581211a232d491a4d4cf0120c3a1ec32e2468fe', '1b8f22fa8b3c2a8c521ad60c1809a1102edf1105e8c1d0e2a161dc57d8950b37', '\x30820a6806092a864886f70d010702a0820a5930820a55020103310d300b060960864801650304020130820563060b2a864886f70d0109100128a08205520482054e7b22696574662d766f75636865723a766f7563686572223a7b22637265617465642d6f6e223a22323032362d31312d32385431383a32383a35342e3536393735375a222c22657870697265732d6f6e223a22323032372d30312d32375431383a32383a34375a222c22617373657274696f6e223a227665726966696564222c2273657269616c2d6e756d626572223a2253544f5259314e4557222c2270696e6e65642d646f6d61696e2d63657274223a224d494944557a4343416a75674177494241674951666677737051535273444a786c526e4871485a4c6f54414e42676b71686b69473977304241517346414441794d524977454159445651514b44416c4d59574967623364755a5849784844416142674e5642414d4d45304a766233523649484270626d356c5a43426b62323168615734774942634e4d6a59784d5449334d5467794f445133576867504d6a41314e6a45784d6a41784f4449344e4464614d444978456a415142674e5642416f4d43557868596942766432356c636a45634d426f474131554541777754516d397664486f6763476c75626d566b4947527662574670626a4343415349774451594a4b6f5a496876634e4151454242514144676745504144434341516f4367674542414a324335594d2f64496365414979567a443837526831685a7667414c4f6e467a62554933744c7335465137316f536b5630456b3062392f357a57715a4c6a566d394d564b52334f5131574c704450316a73336a35656a6f5937546b48704a51676f676e342f372b2b584c6f72344674534d2f504636393355783038344367786f666d6568584f77674a5176542f4966384276373477335a62624f6e7453456d4d686d4d56454948427945334b41677767456230542f486159704c6f6950764a7877514b58465270625758666e6c4b4541516e5674374f4f61585a4b795a785038625634676b66473373497463386f5a3361747a363570524f6133704a4c5777774c2b43436b564b2f5668794968755955427a30764e474d32656b77654643352b6e694c70626832473457477251594b6b726469616976487434306e665536686d3133665733462b7541594e6d3776476b484231696f38434177454141614e6a4d47457744775944565230544151482f42415577417745422f7a414f42674e56485138424166384542414d4341515977485159445652304f42425945464850717175744e76692f7a756238436c6c2f2f4d583333446867444d42384741315564497751594d426141464850717175744e76692f7a756238436c6c2f2f4d583333446867444d41304743537147534962334451454243775541413449424151414d4267654b4c6142346e367a77414946412f445437384d51644e4d50774473735039487845622f62545530613449334c58376d6346585531544a756464756f795954434376525771466b576859734248626d6537646a36666d524e504570696f42626d4251726d78485445453051784970375041375957394f4c48613574687248674d416548795a69647979764a662b6b734a374f4e67544a492b426c4c546f776a6c5232477150354d72313842425542587953433274657a3239636f662f36436162566b67487a6b7476586a3972337750304e69784e68706f624b536b4846384230634b427657507038474c4942534a4e644a344f5562645a484666776d67333467523372554441783179444364536f4574715248303431744374486a395a5648672f312b7162667a4257786a6779765a3151676c54666f70755349425266423877706c417668334b43575a584b6e664b546951222c22646f6d61696e2d636572742d7265766f636174696f6e2d636865636b73223a66616c73657d7da08203ae308201d030820177a003020102021051ca7905caad196b854e14eb4da5fc19300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341301e170d3236313132383138323334375a170d3336313132353138323834375a303931133011060355040a0c0a426f6f747a204c6162733122302006035504030c19426f6f747a204c61627320766f7563686572207369676e65723059301306072a8648ce3d020106082a8648ce3d03010703420004b8a8d7d8c0d7127b95339e64d07f763a32e589040b1ae55988d2c292c25985d5a4a0062be3d1530102b4bcf075bc278462e258a6f2ce39fecfaaac6d200a23dda360305e300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d0e04160414d15eb66500052a5d326bbe945548ad28df2af282301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d04030203470030440220396f14be81b0daf6b9daa3f8a8096c6605c4ad6752bbfd4c83e70b2aa4f30d0702201995e6ef9bd47f6ee888dc575d252399dc242531dc54e1bc5e59a1a4ff982d1c308201d63082017da003020102021004fa780fae26a3392d8c4c7dbcff7d35300a06082a8648ce3d040302303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413020170d3236313132373138323834375a180f39393939313233313233353935395a303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e7566616374757265722043413059301306072a8648ce3d020106082a8648ce3d0301070342000431227fbac72a61b4ef279a5a780ebcae6e268a6c224cd68c19d42245d2ec79c17467297901381898347190ee0a1527ef192da54281a21222eecae561cd31dadaa3633061300f0603551d130101ff040530030101ff300e0603551d0f0101ff040403020106301d0603551d0e0416041417e5f7496d3a8dc92d6c021e59314ecb45032683301f0603551d2304183016801417e5f7496d3a8dc92d6c021e59314ecb45032683300a06082a8648ce3d040302034700304402206daf7202ec6d05d6b2b6462dc65867d824d8e9cff6676f51999df7d98ab7b0ed022003c3ed42e868756ed73d59eee6a40d547f439e83d72a63290b32a809634712ea3182012630820122020101304e303a31133011060355040a0c0a426f6f747a204c6162733123302106035504030c1a426f6f747a204c616273206d616e756661637475726572204341021051ca7905caad196b854e14eb4da5fc19300b0609608648016503040201a06b301a06092a864886f70d010903310d060b2a864886f70d0109100128301c06092a864886f70d010905310f170d3236313132383138323835345a302f06092a864886f70d010904312204208572d100a1a007540c19be2c20ce47750accf3055cd06dcdd38b811613e35bf9300a06082a8648ce3d04030204473045022100f1836b1399996d466e4ba7129e680ca994b3fcc6b72d668ea4359d3916630d6c022035e708ee7636372b5957706812579ced29f4a845c4eb955abd7f7d692da48d06', '2026-11-28T18:28:54.569757Z', '2027-01-27T18:28:47.000000Z', 'verified', 'json', 'CN=Bootz Labs voucher signer,O=Bootz Labs', '[]', '2026-11-28T18:28:54.586882Z');


--
-- Data for Name: webhook; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.webhook VALUES (1, 'pager', 'pager', 'https://pager.example/bootz', '[]', '{}', '\x7b7d', true, 3, 2, '2026-11-28T18:00:00.000000Z', '2026-11-28T18:00:00.000000Z', 'anna');


--
-- Data for Name: webhook_delivery; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.webhook_delivery VALUES (1, 1, 3, 'attempt.ready', 'STORY1', '\x7b7d', 'waiting', 1, '2026-11-28T18:00:00.000000Z', '2026-11-28T18:00:00.000000Z', 'status 500');


--
-- Name: account_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.account_id_seq', 1, true);


--
-- Name: api_token_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.api_token_id_seq', 1, true);


--
-- Name: card_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.card_id_seq', 3, true);


--
-- Name: event_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.event_id_seq', 13, true);


--
-- Name: image_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.image_id_seq', 1, true);


--
-- Name: image_use_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.image_use_id_seq', 1, true);


--
-- Name: pending_replacement_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.pending_replacement_id_seq', 1, true);


--
-- Name: profile_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.profile_id_seq', 1, true);


--
-- Name: seat_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.seat_id_seq', 4, true);


--
-- Name: vendor_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.vendor_id_seq', 1, true);


--
-- Name: voucher_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.voucher_id_seq', 4, true);


--
-- Name: webhook_delivery_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.webhook_delivery_id_seq', 1, false);


--
-- Name: webhook_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.webhook_id_seq', 1, false);


--
-- Name: account account_name_folded_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_name_folded_key UNIQUE (name_folded);


--
-- Name: account account_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);


--
-- Name: account account_subject_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_subject_key UNIQUE (subject);


--
-- Name: api_token api_token_digest_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_digest_key UNIQUE (digest);


--
-- Name: api_token api_token_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (id);


--
-- Name: attempt attempt_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (id);


--
-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);


--
-- Name: card card_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.card
    ADD CONSTRAINT card_pkey PRIMARY KEY (id);


--
-- Name: chassis_label chassis_label_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis_label
    ADD CONSTRAINT chassis_label_pkey PRIMARY KEY (chassis_id, key);


--
-- Name: chassis chassis_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis
    ADD CONSTRAINT chassis_pkey PRIMARY KEY (id);


--
-- Name: chassis chassis_url_tag_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis
    ADD CONSTRAINT chassis_url_tag_key UNIQUE (url_tag);


--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);


--
-- Name: idempotent_answer idempotent_answer_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotent_answer
    ADD CONSTRAINT idempotent_answer_pkey PRIMARY KEY (principal, key);


--
-- Name: ignored_stranger ignored_stranger_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ignored_stranger
    ADD CONSTRAINT ignored_stranger_pkey PRIMARY KEY (serial_folded);


--
-- Name: image image_kind_name_version_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image
    ADD CONSTRAINT image_kind_name_version_key UNIQUE (kind, name, version);


--
-- Name: image image_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image
    ADD CONSTRAINT image_pkey PRIMARY KEY (id);


--
-- Name: image_upload image_upload_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_upload
    ADD CONSTRAINT image_upload_pkey PRIMARY KEY (id);


--
-- Name: image_use image_use_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_use
    ADD CONSTRAINT image_use_pkey PRIMARY KEY (id);


--
-- Name: login_link login_link_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.login_link
    ADD CONSTRAINT login_link_pkey PRIMARY KEY (digest);


--
-- Name: login_session login_session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.login_session
    ADD CONSTRAINT login_session_pkey PRIMARY KEY (digest);


--
-- Name: meta meta_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);


--
-- Name: pending_replacement pending_replacement_chassis_id_serial_folded_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pending_replacement
    ADD CONSTRAINT pending_replacement_chassis_id_serial_folded_key UNIQUE (chassis_id, serial_folded);


--
-- Name: pending_replacement pending_replacement_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pending_replacement
    ADD CONSTRAINT pending_replacement_pkey PRIMARY KEY (id);


--
-- Name: profile profile_name_folded_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.profile
    ADD CONSTRAINT profile_name_folded_key UNIQUE (name_folded);


--
-- Name: profile profile_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.profile
    ADD CONSTRAINT profile_pkey PRIMARY KEY (id);


--
-- Name: seat seat_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_pkey PRIMARY KEY (id);


--
-- Name: serial serial_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.serial
    ADD CONSTRAINT serial_pkey PRIMARY KEY (serial_folded, vendor_id);


--
-- Name: site_certificate site_certificate_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.site_certificate
    ADD CONSTRAINT site_certificate_pkey PRIMARY KEY ("position");


--
-- Name: site_secret site_secret_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.site_secret
    ADD CONSTRAINT site_secret_pkey PRIMARY KEY (name);


--
-- Name: source_chassis source_chassis_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_chassis
    ADD CONSTRAINT source_chassis_pkey PRIMARY KEY (chassis_id);


--
-- Name: source_chassis source_chassis_source_device_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_chassis
    ADD CONSTRAINT source_chassis_source_device_key UNIQUE (source, device);


--
-- Name: source source_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source
    ADD CONSTRAINT source_pkey PRIMARY KEY (name);


--
-- Name: vendor vendor_name_folded_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.vendor
    ADD CONSTRAINT vendor_name_folded_key UNIQUE (name_folded);


--
-- Name: vendor vendor_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.vendor
    ADD CONSTRAINT vendor_pkey PRIMARY KEY (id);


--
-- Name: voucher voucher_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.voucher
    ADD CONSTRAINT voucher_pkey PRIMARY KEY (id);


--
-- Name: voucher voucher_serial_folded_vendor_id_pinned_sha256_sha256_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.voucher
    ADD CONSTRAINT voucher_serial_folded_vendor_id_pinned_sha256_sha256_key UNIQUE (serial_folded, vendor_id, pinned_sha256, sha256);


--
-- Name: webhook_delivery webhook_delivery_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id);


--
-- Name: webhook_delivery webhook_delivery_webhook_id_event_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_webhook_id_event_id_key UNIQUE (webhook_id, event_id);


--
-- Name: webhook webhook_name_folded_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_name_folded_key UNIQUE (name_folded);


--
-- Name: webhook webhook_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (id);


--
-- Name: ix_attempt_chassis; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempt_chassis ON public.attempt USING btree (chassis_id, id);


--
-- Name: ix_attempt_nonce; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempt_nonce ON public.attempt USING btree (nonce_digest, chassis_id);


--
-- Name: ix_attempt_refusal_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempt_refusal_key ON public.attempt USING btree (refusal_key);


--
-- Name: ix_attempt_serial_folded; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempt_serial_folded ON public.attempt USING btree (serial_folded);


--
-- Name: ix_attempt_stray; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempt_stray ON public.attempt USING btree (id) WHERE (refusal_key IS NOT NULL);


--
-- Name: ix_audit_object; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_object ON public.audit USING btree (object);


--
-- Name: ix_audit_verb; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_verb ON public.audit USING btree (verb);


--
-- Name: ix_card_chassis_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_card_chassis_id ON public.card USING btree (chassis_id);


--
-- Name: ix_chassis_label_value; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_chassis_label_value ON public.chassis_label USING btree (key, value);


--
-- Name: ix_chassis_profile_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_chassis_profile_id ON public.chassis USING btree (profile_id);


--
-- Name: ix_chassis_vendor_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_chassis_vendor_id ON public.chassis USING btree (vendor_id);


--
-- Name: ix_event_attempt_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_event_attempt_id ON public.event USING btree (attempt_id);


--
-- Name: ix_idempotent_answer_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_idempotent_answer_at ON public.idempotent_answer USING btree (at);


--
-- Name: ix_image_sha256; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_image_sha256 ON public.image USING btree (sha256);


--
-- Name: ix_image_upload_used_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_image_upload_used_at ON public.image_upload USING btree (used_at);


--
-- Name: ix_image_use_chassis_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_image_use_chassis_id ON public.image_use USING btree (chassis_id);


--
-- Name: ix_image_use_image_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_image_use_image_id ON public.image_use USING btree (image_id);


--
-- Name: ix_image_use_profile_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_image_use_profile_id ON public.image_use USING btree (profile_id);


--
-- Name: ix_login_link_account_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_login_link_account_id ON public.login_link USING btree (account_id);


--
-- Name: ix_login_session_account_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_login_session_account_id ON public.login_session USING btree (account_id);


--
-- Name: ix_seat_chassis_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_seat_chassis_id ON public.seat USING btree (chassis_id);


--
-- Name: ix_serial_chassis_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_serial_chassis_id ON public.serial USING btree (chassis_id);


--
-- Name: ix_voucher_vendor_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_voucher_vendor_id ON public.voucher USING btree (vendor_id);


--
-- Name: ix_webhook_delivery_lane; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_webhook_delivery_lane ON public.webhook_delivery USING btree (webhook_id, state, lane, id);


--
-- Name: attempt attempt_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE SET NULL;


--
-- Name: card card_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.card
    ADD CONSTRAINT card_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE CASCADE;


--
-- Name: chassis_label chassis_label_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis_label
    ADD CONSTRAINT chassis_label_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE CASCADE;


--
-- Name: chassis chassis_profile_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis
    ADD CONSTRAINT chassis_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES public.profile(id);


--
-- Name: chassis chassis_vendor_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis
    ADD CONSTRAINT chassis_vendor_id_fkey FOREIGN KEY (vendor_id) REFERENCES public.vendor(id);


--
-- Name: event event_attempt_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempt(id) ON DELETE CASCADE;


--
-- Name: image_use image_use_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_use
    ADD CONSTRAINT image_use_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE CASCADE;


--
-- Name: image_use image_use_image_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_use
    ADD CONSTRAINT image_use_image_id_fkey FOREIGN KEY (image_id) REFERENCES public.image(id);


--
-- Name: image_use image_use_profile_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_use
    ADD CONSTRAINT image_use_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES public.profile(id) ON DELETE CASCADE;


--
-- Name: login_link login_link_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.login_link
    ADD CONSTRAINT login_link_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;


--
-- Name: login_session login_session_account_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.login_session
    ADD CONSTRAINT login_session_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;


--
-- Name: pending_replacement pending_replacement_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pending_replacement
    ADD CONSTRAINT pending_replacement_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE CASCADE;


--
-- Name: seat seat_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE CASCADE;


--
-- Name: serial serial_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.serial
    ADD CONSTRAINT serial_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE CASCADE;


--
-- Name: serial serial_vendor_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.serial
    ADD CONSTRAINT serial_vendor_id_fkey FOREIGN KEY (vendor_id) REFERENCES public.vendor(id);


--
-- Name: source_chassis source_chassis_chassis_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_chassis
    ADD CONSTRAINT source_chassis_chassis_id_fkey FOREIGN KEY (chassis_id) REFERENCES public.chassis(id) ON DELETE CASCADE;


--
-- Name: voucher voucher_vendor_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.voucher
    ADD CONSTRAINT voucher_vendor_id_fkey FOREIGN KEY (vendor_id) REFERENCES public.vendor(id);


--
-- Name: webhook_delivery webhook_delivery_webhook_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES public.webhook(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


