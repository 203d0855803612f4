// Chooses a thing among others; with shift, all up to it.

export function Check({ label, isOn, isSome = false, onToggle }: { label: string; isOn: boolean; isSome?: boolean; onToggle: (range: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" aria-label={label} checked={isOn} indeterminate={isSome && !isOn}
        onClick={(event) => onToggle(event.shiftKey)} />
    </label>
  );
}
