// Theme: light, dark, or that of the system. The browser stores the choice.
window.trafficTheme = {
  names: { auto: "system", light: "light", dark: "dark" },
  read() {
    const kept = localStorage.getItem("traffic-theme");
    return kept in this.names ? kept : "auto";
  },
  apply() {
    const choice = this.read();
    setDark({ auto: None, light: false, dark: true }[choice]);
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.textContent = `Theme: ${this.names[choice]}`;
    }
  },
  next() {
    const order = Object.keys(this.names);
    localStorage.setItem("traffic-theme", order[(order.indexOf(this.read()) + 1) % order.length]);
    this.apply();
  },
};
window.addEventListener("load", () => window.trafficTheme.apply());
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-switch]")) window.trafficTheme.next();
});
