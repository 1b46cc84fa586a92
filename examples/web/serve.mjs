/**
 * Serves the page with a model on this machine.
 *
 *     npm start -- EXPORTED [PORT]
 */

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { argv, exit } from "node:process";

import { mediaType, siteContent, siteFiles } from "./site.mjs";

const [exported, port = "8000"] = argv.slice(2);
if (!exported || argv.length > 4 || !/^\d+$/.test(port)) {
  console.error(
    "serve.mjs: Expected an exported LiteRT directory, and a port if it is not 8000. " +
      `Received: ${argv.slice(2).join(" ") || "nothing"}`,
  );
  exit(2);
}

const files = siteFiles(exported);
const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!isRead || !files.has(path)) return answer(response, isRead ? 404 : 405);
  try {
    const content = await siteContent(path, files.get(path));
    const tag = `"${createHash("sha256").update(content).digest("hex")}"`;
    // The browser revalidates each time; the answer is mostly 304 Not Modified.
    response.setHeader("ETag", tag).setHeader("Cache-Control", "no-cache");
    if (request.headers["if-none-match"] === tag) return answer(response, 304);
    response.setHeader("Content-Type", mediaType(path)).setHeader("Content-Length", content.length);
    response.end(request.method === "HEAD" ? undefined : content);
  } catch (error) {
    console.error(`serve.mjs: ${error.message}`);
    answer(response, 404);
  }
});
server.listen(Number(port), "localhost", () => {
  console.log(`http://localhost:${server.address().port}/`);
});

function answer(response, status) {
  response.writeHead(status).end();
}
