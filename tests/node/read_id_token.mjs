// Reads ID tokens as a vendor's application would, with jose: whom each of them is about.
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { keys, issuer, audience, nonce, algorithms, tokens } = JSON.parse(readFileSync(0, "utf8"));
const keySet = createRemoteJWKSet(new URL(keys));

async function read(token) {
  try {
    const { payload } = await jwtVerify(token, keySet, { issuer, audience, algorithms, maxTokenAge: "5m" });
    return payload.nonce === nonce ? `accepted ${payload.sub}` : "another nonce";
  } catch (error) {
    return error.code ?? `${error}`;
  }
}

const found = {};
for (const [name, token] of Object.entries(tokens)) found[name] = await read(token);
console.log(JSON.stringify(found));
