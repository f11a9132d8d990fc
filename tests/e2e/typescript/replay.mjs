// node replay.mjs PACKAGE CHAPTER...: replay chapters with one release of the SDK.

import { createHmac } from "node:crypto";
import { replay } from "./steps.mjs";

const [release, ...chapters] = process.argv.slice(2);
const sdk = await import(release);
for (const chapter of chapters) await import(`./${chapter}.mjs`);
await replay(sdk, {
  url: process.env.PALIMPSEST_URL,
  keys: {
    admin: signed({ ad: true }),
    minted: (w, claims) => signed({ w, ...claims }),
  },
  oldest: release === "oldest",
});

/** A key of these claims as the server signs it (HC 4.2). */
function signed(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ t: "", ...claims })}`;
  const secret = process.env.AUTH_JWT_SECRET ?? "";
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
