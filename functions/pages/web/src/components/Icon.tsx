// Signs, drawn with one line. They say nothing to a screen reader: the word beside them does.

const SHAPES = {
  alert: "M12 3.5 22 20.5H2zM12 10v4.5M12 17.4v.2",
  camera: "M3 8h4l2-3h6l2 3h4v11H3zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7",
  check: "m5 12.5 4.5 4.5L19 7.5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7.5V12l3 2",
  close: "M6 6l12 12M18 6 6 18",
  down: "m7 10 5 5 5-5",
  download: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  folder: "M3 6h6l2 2.5h10V19H3z",
  globe: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M3 12h18M12 3c3 3 3.6 6 3.6 9s-.6 6-3.6 9c-3-3-3.6-6-3.6-9S9 6 12 3",
  grid: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z",
  inbox: "M4 14 6.5 5h11L20 14v5H4zM4 14h5l1 2.5h4L15 14h5",
  left: "m14 7-5 5 5 5",
  list: "M9 6h11M9 12h11M9 18h11M4 6h.6M4 12h.6M4 18h.6",
  minus: "M6 12h12",
  offline: "M3 3l18 18M2.5 9.5A14 14 0 0 1 7 6.7M11 5.5c3.8-.2 7.6 1.1 10.5 4M6 13.2a9 9 0 0 1 4-2.4M15 11.5a9 9 0 0 1 3 1.8M9.5 16.7a4 4 0 0 1 5 0M12 20h.1",
  pause: "M8 5v14M16 5v14",
  play: "M7 4.5v15l12-7.5z",
  plus: "M12 5v14M5 12h14",
  right: "m10 7 5 5-5 5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 20.5 20.5",
  sort: "M7 5v14m-3-3 3 3 3-3M17 19V5m-3 3 3-3 3 3",
  upload: "M12 15V4m-5 5 5-5 5 5M5 14v6h14v-6",
  zoom: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 20.5 20.5M8 10.5h5M10.5 8v5",
} as const;

export type Sign = keyof typeof SHAPES;

export function Icon({ sign, size = 20 }: { sign: Sign; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[sign]} />
    </svg>
  );
}
