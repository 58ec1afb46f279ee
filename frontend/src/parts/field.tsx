/** A field of a form: its name above, what may stand in it below. */
import type { ComponentChildren } from "preact";

interface Input {
  value: string;
  placeholder?: string;
  maxLength?: number;
  inputMode?: "decimal" | "numeric";
  onChange?(): void;
}

/** @param alert whether the hint is only ever a fault, which is then read out */
export function TextField(
  {
    id,
    label,
    hint,
    bad = false,
    alert = false,
    wide = false,
    onInput,
    ...input
  }: Input & {
    id: string;
    label: string;
    hint?: string;
    bad?: boolean;
    alert?: boolean;
    wide?: boolean;
    onInput(text: string): void;
  },
) {
  return (
    <label class={wide ? "wide" : undefined}>
      <span>{label}</span>
      <input
        type="text"
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        {...input}
        aria-invalid={bad}
        aria-describedby={`${id}-hint`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <small
        id={`${id}-hint`}
        class={bad ? "fault" : undefined}
        role={alert ? "alert" : undefined}
      >
        {hint}
      </small>
    </label>
  );
}

/** A choice among some. */
export function SelectField({ label, value, onChange, children }: {
  label: string;
  value: string | undefined;
  onChange(value: string): void;
  children: ComponentChildren;
}) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {children}
      </select>
    </label>
  );
}

/** A form that is never sent by itself. */
export function Form({ children }: { children: ComponentChildren }) {
  return (
    <form class="card form" onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  );
}
