// Puts a token into the calls that the API reference sends. The shop's key stays in the page.
globalThis.signing = {
  fields: [
    { name: "shopid", label: "Shop id" },
    { name: "key", label: "Shop key", isSecret: true },
  ],

  // Only JSON is sent, and what the token adds is not asked for.
  prepare(operation) {
    const json = operation.requestBody.content["application/json"];
    operation.requestBody.content = { "application/json": json };
    delete json.schema.properties.auth;
    delete json.schema.required;
  },

  async sign(request, { shopid, key }) {
    const bytes = new TextEncoder();
    const timestamp = Math.floor(Date.now() / 1000);
    const salt = crypto.randomUUID();
    const hmac = { name: "HMAC", hash: "SHA-512" };
    const signer = await crypto.subtle.importKey("raw", bytes.encode(key), hmac, false, ["sign"]);
    const code = await crypto.subtle.sign("HMAC", signer, bytes.encode(`${shopid}${key}${timestamp}${salt}`));
    const token = [...new Uint8Array(code)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const body = { ...JSON.parse(request.body || "{}"), auth: { shopid, timestamp, salt, token } };
    request.body = JSON.stringify(body);
    return request;
  },
};
