// Shows an embed campaign where the script stands:
// <script src="https://SERVER/embed/v1/widget.js" data-campaign="TOKEN" async></script>
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || !script.dataset.campaign) return;
  const campaign = new URL(`campaigns/${encodeURIComponent(script.dataset.campaign)}`, script.src).href;
  const plain = { credentials: "omit", referrerPolicy: "no-referrer" };
  const style = `
    :host { display: block; font: inherit; color: inherit; }
    ul { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr));
         list-style: none; margin: 0; padding: 0; }
    li { border: 1px solid #b8bec7; border-radius: 8px; display: flex; flex-direction: column; gap: 8px;
         padding: 14px; background: #fff; color: #1b2330; }
    .title { font-weight: 600; overflow-wrap: anywhere; }
    .price { color: #3d4858; }
    a { background: #1f4fd1; border-radius: 6px; color: #fff; margin-top: auto; padding: 8px 12px;
        text-align: center; text-decoration: none; }
    a:hover { background: #173ca3; }
    a:focus-visible { outline: 3px solid #f0a500; outline-offset: 2px; }
    .none { color: #5a6575; margin-top: auto; padding: 8px 0; }
  `;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  const price = (product, currency) => {
    const amount = Number(product.price);
    try {
      return new Intl.NumberFormat(document.documentElement.lang || undefined, {
        style: "currency",
        currency,
      }).format(amount);
    } catch {
      return `${product.price} ${currency}`;
    }
  };

  const card = (product, currency) => {
    const item = element("li");
    item.append(element("span", "title", product.title), element("span", "price", price(product, currency)));
    if (product.available && product.has_page) {
      const link = element("a", "", "Buy");
      link.href = `${campaign}/products/${encodeURIComponent(product.id)}`;
      link.target = "_top";
      link.rel = "noopener";
      link.setAttribute("aria-label", `Buy ${product.title}`);
      item.append(link);
    } else {
      item.append(element("span", "none", "Not available"));
    }
    return item;
  };

  const show = ({ shop, currency, products }) => {
    const host = element("div");
    host.setAttribute("role", "region");
    host.setAttribute("aria-label", shop);
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    const list = element("ul");
    list.append(...products.map((product) => card(product, currency)));
    root.append(list);
    script.after(host);
  };

  fetch(campaign, plain)
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((answer) => {
      if (!answer || !answer.data.products.length) return undefined;
      show(answer.data);
      return fetch(`${campaign}/views`, { ...plain, method: "POST", keepalive: true });
    })
    .catch(() => undefined);
})();
