// GraphiQL on the page's own endpoint. Token and viewer id stay in the form's fields: nothing is stored.
// Without scripts the page has a plain form instead, which this hides.
globalThis.__webpack_nonce__ = document.currentScript.nonce; // for the one style element that GraphiQL makes
const credential = document.querySelector("#credential");
const refusal = credential.querySelector("[role=alert]");
const tool = document.querySelector("#graphiql");
const plain = document.querySelector("#plain");
const kept = new Map();
const memory = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
  clear: () => kept.clear(),
  get length() { return kept.size; },
};
let root = null;
let times = 0;

function calling({ viewerid, accesstoken }) {
  return async (document) => {
    const answer = await fetch(credential.dataset.endpoint, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json", viewerid, accesstoken },
      body: JSON.stringify(document),
    });
    return answer.json();
  };
}

// The Tab key leaves an editor, as it leaves any field; a list of completions still takes it.
function freeTab(editor) {
  editor.addKeyMap({ Tab: false, "Shift-Tab": false });
}

new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]);
  for (const node of added) if (node.CodeMirror) freeTab(node.CodeMirror);
}).observe(tool, { childList: true, subtree: true });

function show(fetcher) {
  tool.hidden = false;
  root ??= ReactDOM.createRoot(tool);
  root.render(React.createElement(GraphiQL, {
    key: (times += 1), // the schema is asked for again, by the new caller
    fetcher,
    storage: memory,
    defaultQuery: plain.querySelector("#query").value,
    isHeadersEditorEnabled: false,
    shouldPersistHeaders: false,
    inputValueDeprecation: true,
    schemaDescription: true,
  }));
}

async function open(event) {
  event.preventDefault();
  const fields = new FormData(credential);
  const trimmed = (name) => fields.get(name).trim();
  const fetcher = calling({ viewerid: trimmed("viewerid"), accesstoken: trimmed("accesstoken") });
  refusal.textContent = "";
  try {
    const { errors } = await fetcher({ query: "{ __typename }" });
    if (errors) refusal.textContent = errors[0].message;
    else show(fetcher);
  } catch {
    refusal.textContent = "The server did not answer, or the token has signs that none has.";
  }
}

credential.addEventListener("submit", open);
credential.hidden = false;
plain.hidden = true;
