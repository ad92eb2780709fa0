// Draw the diagrams of a page with the site's own copy of Mermaid.
const blocks = document.querySelectorAll("pre.diagram");

async function draw() {
  const { mermaid } = await import("./mermaid/index.js");
  const dark = document.body.dataset.mdColorScheme === "slate";
  mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "neutral" });
  for (const [number, block] of blocks.entries()) {
    const { svg } = await mermaid.render(`diagram-${number}`, block.textContent);
    const figure = document.createElement("figure");
    figure.innerHTML = svg;
    block.replaceWith(figure);
  }
}

if (blocks.length) draw();
