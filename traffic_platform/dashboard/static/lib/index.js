export * from "./palette.js";
export * from "./charts.js";
