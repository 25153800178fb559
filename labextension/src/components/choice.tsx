/** One of several, with its label. */
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useId } from 'react';

export function Choice(props: {
  readonly label: string;
  readonly value: string | null;
  readonly values: readonly string[];
  readonly onChange: (value: string) => void;
}): ReactElement {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{props.label}</label>
      <HTMLSelect
        id={id}
        value={props.value ?? ''}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.values.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </HTMLSelect>
    </>
  );
}
