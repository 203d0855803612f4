// What a page will look like, while it loads: seen only where that takes longer than a glance.

export function Lines({ count }: { count: number }) {
  return (
    <div class="skeleton lines" aria-hidden="true">
      {Array.from({ length: count }, (_, line) => (
        <i key={line} style={{ inlineSize: `${[86, 58, 72, 40][line % 4] ?? 60}%` }} />
      ))}
    </div>
  );
}

export function Rows({ count = 6, pictures = true }: { count?: number; pictures?: boolean }) {
  return (
    <ul class="rows skeleton" aria-hidden="true">
      {Array.from({ length: count }, (_, row) => (
        <li key={row} class="row">
          <div class="text">
            <i style={{ inlineSize: `${[44, 34, 50, 38][row % 4] ?? 40}%` }} />
            <i style={{ inlineSize: `${[30, 38, 26, 33][row % 4] ?? 30}%` }} />
          </div>
          {pictures && (
            <div class="strip">
              <b />
              <b />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

export function Tiles({ count = 10 }: { count?: number }) {
  return (
    <ul class="tiles skeleton" aria-hidden="true">
      {Array.from({ length: count }, (_, tile) => (
        <li key={tile}>
          <b />
          <i style={{ inlineSize: "70%" }} />
        </li>
      ))}
    </ul>
  );
}
