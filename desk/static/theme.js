// Light or dark as chosen here before; else as the system has it. Runs before anything is painted.
(() => {
  const root = document.documentElement;
  const chosen = localStorage.getItem("centralita-theme");
  if (chosen) root.dataset.theme = chosen;
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-switch]")) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("centralita-theme", root.dataset.theme);
  });
})();
