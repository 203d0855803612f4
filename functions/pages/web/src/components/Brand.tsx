// The operator: its logo where there is one, else its name.

import { portal } from "../lib/boot";

export function Brand({ link = "/" }: { link?: string | undefined }) {
  const content = (
    <>
      {portal.logo && (
        <span class="logo">
          <img src={portal.logo} alt="" height={26} />
        </span>
      )}
      <span>{portal.operator}</span>
    </>
  );
  return link ? (
    <a class="brand" href={link}>
      {content}
    </a>
  ) : (
    <div class="brand">{content}</div>
  );
}
