// How far something is.

export function Progress({ part, label }: { part: number; label: string }) {
  return (
    <div class="progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.floor(part * 100)}>
      <div style={{ inlineSize: `${part * 100}%` }} />
    </div>
  );
}
