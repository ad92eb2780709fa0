// Colours of the canvases, from the style sheet, so that they follow the theme.

export const BANDS = [
  { token: "--band-unknown", size: 0.8 },
  { token: "--band-stopped", size: 1.45 },
  { token: "--band-slow", size: 1.25 },
  { token: "--band-dense", size: 1.1 },
  { token: "--band-steady", size: 1 },
  { token: "--band-free", size: 0.9 },
  { token: "--band-stale", size: 0.8, hollow: true },
];

export const HEALTHS = [
  { token: "--health-good", size: 0.95, shape: "circle" },
  { token: "--health-diagnosed", size: 1.25, shape: "square" },
  { token: "--health-stuck", size: 1.35, shape: "diamond" },
  { token: "--health-silent", size: 1.1, shape: "cross" },
  { token: "--health-unknown", size: 0.8, hollow: true },
];

export function token(name) {
  return getComputedStyle(document.body).getPropertyValue(name).trim();
}

// Calls back when the theme changes. Returns a function that ends this.
export function onTheme(callback) {
  const observer = new MutationObserver(callback);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}

export function escapeHtml(text) {
  const holder = document.createElement("span");
  holder.textContent = String(text ?? "");
  return holder.innerHTML.replaceAll('"', "&quot;");
}

export function measure(value, unit, digits = 0) {
  if (value === null || value === undefined) return "–";
  return `${Number(value).toLocaleString("en-US", { maximumFractionDigits: digits })} ${unit}`;
}
