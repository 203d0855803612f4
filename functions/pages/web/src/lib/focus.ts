// Where the focus goes when a page is there.

/** Into the first empty field, where there are any to fill in. */
export function focusFirst(): void {
  const fields = [...document.querySelectorAll<HTMLInputElement>("main input:not([type=hidden]), dialog input:not([type=hidden])")];
  (fields.find((field) => field.value === "") ?? fields[0])?.focus({ preventScroll: true });
}

/** To the title of a page that one has come to: a screen reader reads it. */
export function focusTitle(): void {
  document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
}

/** Up and down in a list, from title to title. */
export function step(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  const list = event.currentTarget as HTMLElement;
  const links = [...list.querySelectorAll<HTMLElement>("a.title")];
  const at = links.indexOf(document.activeElement as HTMLElement);
  if (by === undefined || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  links[at + by]?.focus();
}
