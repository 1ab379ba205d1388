import { effect, signal } from '@preact/signals';

type Theme = 'light' | 'dark';
const KEY = 'embedmill-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

/** The current theme: the user's choice in this browser, else the system's. */
export const theme = signal<Theme>(chosen() ?? preferred());

dark.addEventListener('change', () => {
  if (chosen() === null) theme.value = preferred();
});

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

export function switchTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  localStorage.setItem(KEY, theme.value);
}

function chosen(): Theme | null {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : null;
}

function preferred(): Theme {
  return dark.matches ? 'dark' : 'light';
}
