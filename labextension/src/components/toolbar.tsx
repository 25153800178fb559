/** The buttons of a tab's head. */
import type { ReactElement, ReactNode } from 'react';

export function Toolbar(props: {
  readonly label: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <div className="jp-Mlops-actions" role="toolbar" aria-label={props.label}>
      {props.children}
    </div>
  );
}
