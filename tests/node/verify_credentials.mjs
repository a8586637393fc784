// Verifies credentials as two programs of others do: @digitalcredentials/verifier-core (wallets, VerifierPlus) and
// @digitalbazaar/vc. Standard input is {documents, files}: what the web would answer by address, and files by name, each
// {form, content} in base64. Prints what each program makes of each file. Nothing is asked of the network.
import { readFileSync } from "node:fs";

const { documents, files } = JSON.parse(readFileSync(0, "utf8"));

globalThis.fetch = async (request) => {
  const address = typeof request === "string" ? request : request.url;
  const found = documents[address];
  if (found === undefined) return new Response(`nothing at ${address}`, { status: 404 });
  return new Response(JSON.stringify(found), { status: 200, headers: { "content-type": "application/json" } });
};

const { verifyCredential } = await import("@digitalcredentials/verifier-core");
const { checkStatus } = await import("@digitalcredentials/vc-bitstring-status-list");
const { DataIntegrityProof } = await import("@digitalbazaar/data-integrity");
const { cryptosuite } = await import("@digitalbazaar/eddsa-rdfc-2022-cryptosuite");
const vc = await import("@digitalbazaar/vc");

async function documentLoader(url) {
  const [address, fragment] = url.split("#");
  const document = documents[address.startsWith("did:web:") ? didAddress(address) : address];
  if (document === undefined) throw new Error(`nothing at ${url}`);
  const contexts = { "@context": document["@context"] };
  const part = fragment && document.verificationMethod?.find((method) => method.id === url);
  return { contextUrl: null, documentUrl: url, document: part ? { ...contexts, ...part } : document };
}

function didAddress(did) {
  const [host, ...path] = did.slice("did:web:".length).split(":").map(decodeURIComponent);
  return `https://${host}/${path.join("/")}/did.json`;
}

async function byVerifierCore(credential) {
  const { log, errors } = await verifyCredential({ credential, knownDIDRegistries: [] });
  if (errors) return errors.map((error) => error.name);
  return log
    .filter((step) => step.id !== "registered_issuer" && !step.valid)
    .map((step) => step.error?.name ?? step.id);
}

async function byBazaar(credential) {
  const suite = new DataIntegrityProof({ cryptosuite });
  const result = await vc.verifyCredential({ credential, suite, documentLoader, checkStatus });
  if (result.verified) return [];
  const errors = [result.error?.errors ?? result.error ?? []].flat();
  const status = result.statusResult?.verified === false ? [`status: ${result.statusResult.error ?? "set"}`] : [];
  return [...errors.map((error) => error.message), ...status];
}

// What others would read out of a file.
const READERS = {
  json: (content) => content.toString("utf8"),
  png: fromPng,
  svg: (content) => /<openbadges:credential[^>]*>\s*<!\[CDATA\[([\s\S]*?)\]\]>/.exec(content.toString("utf8"))[1],
  pdf: fromPdf,
};

function fromPng(content) {
  for (let at = 8; at < content.length; ) {
    const length = content.readUInt32BE(at);
    const data = content.subarray(at + 8, at + 8 + length);
    if (content.toString("latin1", at + 4, at + 8) === "iTXt" && data.toString("latin1").startsWith("openbadgecredential\0"))
      // Read as Latin-1, as some programs do, although it is UTF-8: nothing may depend on it.
      return data.toString("latin1").slice("openbadgecredential\0\0\0\0\0".length);
    at += 12 + length;
  }
  throw new Error("nothing is baked in");
}

async function fromPdf(content) {
  const { getDocument } = await import("pdfjs-dist/legacy/build/pdf.mjs");
  const document = await getDocument({ data: new Uint8Array(content), verbosity: 0 }).promise;
  const attached = Object.values(await document.getAttachments()).find((one) => one.filename === "credential.json");
  return Buffer.from(attached.content).toString("utf8");
}

const found = {};
for (const [name, { form, content }] of Object.entries(files)) {
  const credential = JSON.parse(await READERS[form](Buffer.from(content, "base64")));
  const core = await byVerifierCore(structuredClone(credential));
  found[name] = { core, bazaar: await byBazaar(structuredClone(credential)) };
}
console.log(JSON.stringify(found));
