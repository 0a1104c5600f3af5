// The peer in Node: Express, sessions in memory or in SQLite (SESSION_FILE), node-fetch 2, and EJS
// templates that are read and compiled for every page, which is what the sample people start from does.
"use strict";

const { randomBytes } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const ejs = require("ejs");
const express = require("express");
const session = require("express-session");
const fetch = require("node-fetch");

const { AUTH_INIT_URL, CLIENT_SECRET, PORT, WEBEX_ORIGIN } = process.env;
const authorizeUrl = new URL(AUTH_INIT_URL);
const state = randomBytes(64).toString("hex");
authorizeUrl.searchParams.set("state", state);

function page(name, values) {
  return ejs.compile(readFileSync(join(__dirname, "pages", name), "utf8"))(values);
}

const home = page("home.ejs", { link: authorizeUrl });

async function askWebex(url, token) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) {
    throw new Error(`webex answered ${response.status}`);
  }
  return response;
}

async function exchange(code) {
  const response = await fetch(`${WEBEX_ORIGIN}/v1/access_token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: authorizeUrl.searchParams.get("client_id"),
      client_secret: CLIENT_SECRET,
      redirect_uri: authorizeUrl.searchParams.get("redirect_uri"),
      code,
    }),
  });
  if (!response.ok) {
    throw new Error(`webex refused the code: ${response.status}`);
  }
  return (await response.json()).access_token;
}

async function personPage(token) {
  const person = await (await askWebex(`${WEBEX_ORIGIN}/v1/people/me`, token)).json();
  return page("person.ejs", { displayName: person.displayName });
}

function nextPage(response) {
  const link = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "");
  return link && link[1];
}

async function allRooms(token) {
  const rooms = [];
  let url = `${WEBEX_ORIGIN}/v1/rooms?max=1000`;
  while (url) {
    const response = await askWebex(url, token);
    rooms.push(...(await response.json()).items);
    url = nextPage(response);
  }
  return rooms;
}

function sessionStore() {
  if (!process.env.SESSION_FILE) {
    return undefined; // express-session then keeps them in memory
  }
  const Database = require("better-sqlite3");
  const SqliteStore = require("better-sqlite3-session-store")(session);
  const client = new Database(process.env.SESSION_FILE);
  client.pragma("journal_mode = WAL");
  return new SqliteStore({ client });
}

function requireToken(req, res, next) {
  if (req.session.token === undefined) {
    res.redirect("/");
    return;
  }
  next();
}

const app = express();
app.use(
  session({
    secret: randomBytes(64).toString("hex"),
    resave: false,
    saveUninitialized: false,
    store: sessionStore(),
  }),
);

app.get("/", (req, res) => {
  res.redirect("/index.html");
});

app.get("/index.html", async (req, res) => {
  res.send(req.session.token === undefined ? home : await personPage(req.session.token));
});

app.get("/oauth", async (req, res) => {
  const { error, code, state: returned } = req.query;
  if (error || !code || returned !== state) {
    res.status(400).send(page("error.ejs", { reason: error ?? "unexpected parameters" }));
    return;
  }
  const token = await exchange(code);
  req.session.token = token;
  res.send(await personPage(token));
});

app.get("/listrooms", requireToken, async (req, res) => {
  const response = await askWebex(`${WEBEX_ORIGIN}/v1/rooms`, req.session.token);
  res.send(page("rooms.ejs", { rooms: (await response.json()).items }));
});

app.get("/listrooms/all", requireToken, async (req, res) => {
  res.send(page("rooms.ejs", { rooms: await allRooms(req.session.token) }));
});

app.listen(Number(PORT), "127.0.0.1");
