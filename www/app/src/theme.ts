// Light or dark: as the system says, or as somebody has chosen on this device.
const key = "chatwire.theme";

export const themes = { system: "Auto", light: "Light", dark: "Dark" } as const;
export type Theme = keyof typeof themes;

export function chosenTheme(): Theme {
  const kept = localStorage.getItem(key);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(key, theme);
  applyTheme();
}

/** Also before anything is drawn: nothing flashes. */
export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
