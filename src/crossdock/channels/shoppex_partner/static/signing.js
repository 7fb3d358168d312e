// Signs the calls that the API reference sends. The credential stays in the page.
globalThis.signing = {
  fields: [
    { name: "key", label: "Partner key", placeholder: "pk_..." },
    { name: "secret", label: "Partner secret", placeholder: "sk_...", isSecret: true },
  ],

  // What a signature adds is not asked for.
  prepare(operation) {
    operation.parameters = (operation.parameters ?? []).filter(({ name }) => !name.startsWith("X-Shoppex-"));
  },

  async sign(request, { key, secret }) {
    const bytes = new TextEncoder();
    const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const route = new URL(request.url).pathname.replace(/^\/wp-json/, "").replace(/\/+$/, "");
    const timestamp = String(Math.floor(Date.now() / 1000));
    const nonce = crypto.randomUUID();
    const hash = hex(await crypto.subtle.digest("SHA-256", bytes.encode(request.body ?? "")));
    const message = [request.method.toUpperCase(), route, timestamp, nonce, hash].join("\n");
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const signer = await crypto.subtle.importKey("raw", bytes.encode(secret), hmac, false, ["sign"]);
    Object.assign(request.headers, {
      "X-Shoppex-Key": key,
      "X-Shoppex-Timestamp": timestamp,
      "X-Shoppex-Nonce": nonce,
      "X-Shoppex-Signature": hex(await crypto.subtle.sign("HMAC", signer, bytes.encode(message))),
    });
    return request;
  },
};
