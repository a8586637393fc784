// Reads mails as a receiver would: mailauth checks their signatures, mailparser says what is in them.
import { readFileSync } from "node:fs";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { simpleParser } from "mailparser";

const { mails, records } = JSON.parse(readFileSync(0, "utf8"));

async function resolver(name, type) {
  if (type !== "TXT" || !(name in records)) {
    throw Object.assign(new Error(`no ${type} of ${name}`), { code: "ENOTFOUND" });
  }
  return [[records[name]]];
}

async function read(mail) {
  const content = Buffer.from(mail, "base64");
  const { results } = await dkimVerify(content, { resolver });
  const parsed = await simpleParser(content);
  return {
    signatures: results.map(({ signingDomain, selector, algo, status }) => ({
      domain: signingDomain,
      selector,
      algorithm: algo,
      result: status.result,
      aligned: status.aligned || null,
    })),
    headers: parsed.headerLines.map(({ key }) => key),
    list: parsed.headers.get("list") ?? null,
    messageId: parsed.messageId,
    subject: parsed.subject,
    from: parsed.from.value,
    to: parsed.to.value,
    text: parsed.text,
    html: parsed.html,
  };
}

console.log(JSON.stringify(await Promise.all(mails.map(read))));
