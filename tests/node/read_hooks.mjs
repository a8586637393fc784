// Reads web hooks as a subscriber would, with standardwebhooks: what each is taken for.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, messages } = JSON.parse(readFileSync(0, "utf8"));

function read({ body, headers }) {
  try {
    return new Webhook(secret).verify(body, headers).type;
  } catch (error) {
    return error.message;
  }
}

console.log(JSON.stringify(messages.map(read)));
