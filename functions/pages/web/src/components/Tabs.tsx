// Parts of what is shown, each with how many there are.

export interface Tab {
  to: string;
  label: string;
  count: number;
  isCurrent: boolean;
}

export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a key={tab.to} href={tab.to} aria-current={tab.isCurrent ? "true" : undefined}>
          {tab.label} <span>{tab.count}</span>
        </a>
      ))}
    </nav>
  );
}
