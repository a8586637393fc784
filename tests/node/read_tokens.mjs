// Reads access tokens as a consumer of the API would, with jose: what each of them is taken for.
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { keys, issuer, audience, program, tokens } = JSON.parse(readFileSync(0, "utf8"));
const keySet = createRemoteJWKSet(new URL(keys));

async function read(token) {
  try {
    const { payload } = await jwtVerify(token, keySet, {
      issuer,
      audience,
      typ: "at+jwt",
      algorithms: ["EdDSA", "RS256"],
    });
    return payload.programs.includes(program) ? `accepted ${payload.sub}` : "another program";
  } catch (error) {
    return error.code ?? `${error}`;
  }
}

const found = {};
for (const [name, token] of Object.entries(tokens)) found[name] = await read(token);
console.log(JSON.stringify(found));
