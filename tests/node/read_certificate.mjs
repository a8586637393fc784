// Reads a PDF as a reader in a browser does, with pdf.js: what it says, how it is tagged, what is attached.
import { readFileSync } from "node:fs";
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";

const pdf = await getDocument({ data: new Uint8Array(readFileSync(0)), verbosity: 0, useSystemFonts: false }).promise;
const roles = (node) => (node.role ? [node.role] : []).concat(...(node.children ?? []).map(roles));
const alternatives = (node) => (node.alt ? [node.alt] : []).concat(...(node.children ?? []).map(alternatives));
const pages = [];
for (let number = 1; number <= pdf.numPages; number++) {
  const page = await pdf.getPage(number);
  const [text, tree] = [await page.getTextContent(), await page.getStructTree()];
  pages.push({
    size: page.view.slice(2),
    text: text.items.map((item) => item.str + (item.hasEOL ? "\n" : "")).join(""),
    roles: roles(tree),
    alternatives: alternatives(tree),
    links: (await page.getAnnotations()).map((each) => each.url ?? null),
  });
}
const attachments = Object.values((await pdf.getAttachments()) ?? {});
const { info } = await pdf.getMetadata();
console.log(
  JSON.stringify({
    pages,
    language: info.Language,
    title: info.Title,
    marked: (await pdf.getMarkInfo())?.Marked ?? false,
    scripts: (await pdf.getJSActions()) ?? null,
    attachments: attachments.map((each) => ({
      name: each.filename,
      content: Buffer.from(each.content).toString("base64"),
    })),
  }),
);
