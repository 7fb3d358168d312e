// Shows the OpenAPI document that the page links to, with samples for this server, and sends calls.
// A channel whose calls are signed has a script that does it (`signing`). Without this the link is what there is.
const documentLink = document.querySelector("a[data-openapi]");
const credential = document.querySelector("[data-credential]");
const METHODS = ["get", "put", "post", "delete", "patch"];
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The least that a schema accepts.
function sample(schema) {
  if (schema.examples?.length) return schema.examples[0];
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice) return sample(choice[0]);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "array") return [sample(schema.items ?? {})];
  if (type === "object") {
    const names = schema.required ?? [];
    return Object.fromEntries(names.map((name) => [name, sample(schema.properties?.[name] ?? {})]));
  }
  return { integer: 1, number: 1, boolean: true, null: null }[type] ?? "...";
}

const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function proofs(spec, operation) {
  const schemes = spec.components?.securitySchemes ?? {};
  const names = Object.keys((operation.security ?? spec.security ?? [Object.fromEntries(Object.keys(schemes).map((n) => [n, []]))])[0] ?? {});
  return names.map((name) => {
    const scheme = schemes[name];
    return scheme.type === "http" ? "Authorization: Bearer ..." : `${scheme.name}: ...`;
  });
}

function curl(spec, path, method, operation) {
  const lines = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quoted(location.origin + path)}`];
  for (const proof of proofs(spec, operation)) lines.push(`-H ${quoted(proof)}`);
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  if (schema) {
    lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(sample(schema)))}`);
  }
  return lines.join(" \\\n  ");
}

function prepare(spec) {
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of METHODS.filter((each) => item[each])) {
      const operation = item[method];
      if (globalThis.signing) signing.prepare(operation);
      else operation.description = `${operation.description ?? ""}\n\n\`\`\`\n${curl(spec, path, method, operation)}\n\`\`\``;
    }
  }
  return spec;
}

async function sign(request) {
  if (!globalThis.signing || request.loadSpec) return request;
  const values = Object.fromEntries(new FormData(credential));
  return signing.sign(request, values);
}

const listed = (headers) => Object.entries(headers?.toJS?.() ?? {});
const python = (request) => [
  "import httpx",
  "",
  "answer = httpx.request(",
  `    ${JSON.stringify(request.get("method"))},`,
  `    ${JSON.stringify(request.get("url"))},`,
  `    headers=${JSON.stringify(Object.fromEntries(listed(request.get("headers"))))},`,
  ...(request.get("body") ? [`    content=${JSON.stringify(request.get("body"))},`] : []),
  ")",
  "print(answer.status_code, answer.text)",
].join("\n");
const javascript = (request) => [
  `const answer = await fetch(${JSON.stringify(request.get("url"))}, {`,
  `  method: ${JSON.stringify(request.get("method"))},`,
  `  headers: ${JSON.stringify(Object.fromEntries(listed(request.get("headers"))))},`,
  ...(request.get("body") ? [`  body: ${JSON.stringify(request.get("body"))},`] : []),
  "});",
  "console.log(answer.status, await answer.text());",
].join("\n");
const php = (request) => [
  `$call = curl_init(${quoted(request.get("url"))});`,
  `curl_setopt($call, CURLOPT_CUSTOMREQUEST, ${quoted(request.get("method"))});`,
  "curl_setopt($call, CURLOPT_RETURNTRANSFER, true);",
  `curl_setopt($call, CURLOPT_HTTPHEADER, [${listed(request.get("headers")).map(([n, v]) => quoted(`${n}: ${v}`)).join(", ")}]);`,
  ...(request.get("body") ? [`curl_setopt($call, CURLOPT_POSTFIELDS, ${quoted(request.get("body"))});`] : []),
  "echo curl_exec($call);",
].join("\n");

async function show() {
  const answer = await fetch(documentLink.href);
  SwaggerUIBundle({
    spec: prepare(await answer.json()),
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: "list",
    defaultModelExpandDepth: 3,
    defaultModelRendering: "model",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    requestInterceptor: sign,
    requestSnippetsEnabled: true,
    requestSnippets: {
      generators: {
        curl_bash: { title: "curl", syntax: "bash" },
        python: { title: "Python", syntax: "python" },
        php: { title: "PHP", syntax: "php" },
        javascript: { title: "JavaScript", syntax: "javascript" },
      },
      languages: ["curl_bash", "python", "php", "javascript"],
      defaultExpanded: true,
    },
    plugins: [{
      fn: {
        requestSnippetGenerator_python: python,
        requestSnippetGenerator_php: php,
        requestSnippetGenerator_javascript: javascript,
      },
    }],
    syntaxHighlight: false,
    validatorUrl: null,
  });
}

function ask() {
  for (const { name, label, placeholder, isSecret } of signing.fields) {
    const field = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { name, placeholder: placeholder ?? "", type: isSecret ? "password" : "text", autocomplete: "off", spellcheck: false });
    field.append(label, input);
    credential.append(field);
  }
  credential.hidden = false;
}

if (globalThis.signing) ask();
show();
