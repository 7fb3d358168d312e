// Shows the OpenAPI document that the page links to. Without this the link itself is what there is.
const documentLink = document.querySelector("a[data-openapi]");
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
SwaggerUIBundle({
  url: documentLink.href,
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelExpandDepth: 3,
  defaultModelRendering: "model",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: false,
  supportedSubmitMethods: [], // every call is signed, which this page cannot do
  validatorUrl: null,
});
