// Forms: their fields, and what becomes of what was filled in.
import type { ComponentChildren, RefObject, TargetedEvent, TargetedSubmitEvent } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "../api/call.ts";
import { hide } from "./dialog.tsx";
import { ProblemNote } from "./problem.tsx";
import { say } from "./toast.tsx";

/** What was filled in. */
export class Filled {
    constructor(private readonly data: FormData) {}

    text(name: string): string {
        return String(this.data.get(name) ?? "");
    }

    /** 0 when left empty. */
    number(name: string): number {
        return Number(this.text(name)) || 0;
    }

    flag(name: string): boolean {
        return this.data.has(name);
    }

    /** Lines that are not empty. */
    lines(name: string): string[] {
        return this.text(name)
            .split("\n")
            .map((line) => line.trim())
            .filter(Boolean);
    }
}

interface FormProps {
    /** The word on the button. */
    action: string;
    danger?: boolean;
    /** In a dialog, which is closed when it is done. */
    inDialog?: boolean;
    /** Does it; the text that it gives is said afterwards. */
    run: (filled: Filled, form: HTMLFormElement) => Promise<string | void>;
    /** More buttons. */
    beside?: ComponentChildren;
    children: ComponentChildren;
}

export function Form({ action, danger, inDialog, run, beside, children }: FormProps) {
    const [isBusy, setBusy] = useState(false);
    const [problem, setProblem] = useState<Problem>();
    const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
        event.preventDefault();
        if (isBusy) return;
        const form = event.currentTarget;
        setBusy(true);
        setProblem(undefined);
        try {
            const done = await run(new Filled(new FormData(form)), form);
            if (done) say(done);
        } catch (error) {
            setProblem(asProblem(error));
        }
        setBusy(false);
    };
    return (
        <form onSubmit={submit} autocomplete="off">
            <div class="fields">{children}</div>
            {problem && <ProblemNote problem={problem} />}
            <div class="actions">
                {beside}
                {inDialog && (
                    <button type="button" onClick={hide}>
                        Cancel
                    </button>
                )}
                <button type="submit" class={danger ? "danger" : "primary"} aria-disabled={isBusy}>
                    {action}
                </button>
            </div>
        </form>
    );
}

interface FieldProps {
    label: string;
    hint?: ComponentChildren;
    /** Takes the whole width of a form with several columns. */
    whole?: boolean;
    children: (attributes: { id: string; "aria-describedby"?: string }) => ComponentChildren;
}

/** A labelled field with a hint that is read out with it. */
export function Field({ label, hint, whole, children }: FieldProps) {
    const id = useId();
    const described = hint ? { "aria-describedby": `${id}-hint` } : {};
    return (
        <div class={whole ? "field whole" : "field"}>
            <label for={id}>{label}</label>
            {children({ id, ...described })}
            {hint && (
                <p class="hint" id={`${id}-hint`}>
                    {hint}
                </p>
            )}
        </div>
    );
}

/** What a field may be told, of all that HTML has. */
interface Told<E extends HTMLElement> {
    name?: string;
    value?: string;
    defaultValue?: string | number;
    required?: boolean;
    maxLength?: number;
    min?: number;
    max?: number;
    pattern?: string;
    placeholder?: string;
    autocomplete?: string;
    rows?: number;
    /** The first to have the focus in a dialog. */
    "data-first"?: boolean;
    /** Where the key `/` leads. */
    "data-filter"?: boolean;
    onChange?: (event: TargetedEvent<E>) => void;
}

type Outside = Omit<FieldProps, "children">;
type Text = Outside & Told<HTMLInputElement> & { type?: "text" | "password" };

export function TextField({ label, hint, whole, type = "text", value, ...rest }: Text) {
    const input = useRef<HTMLInputElement>(null);
    // Only what is new goes into it: whoever types while the page is drawn anew goes on typing.
    useLayoutEffect(() => {
        if (input.current && value !== undefined) input.current.value = value;
    }, [value]);
    return (
        <Field label={label} hint={hint} whole={!!whole}>
            {(attributes) =>
                type === "password" ? (
                    <input type="password" ref={input} {...rest} {...attributes} />
                ) : (
                    <input type="text" ref={input} spellcheck={false} {...rest} {...attributes} />
                )
            }
        </Field>
    );
}

type Amount = Outside & Told<HTMLInputElement>;

export function NumberField({ label, hint, whole, min = 0, ...rest }: Amount) {
    return (
        <Field label={label} hint={hint} whole={!!whole}>
            {(attributes) => <input type="number" step={1} min={min} {...rest} {...attributes} />}
        </Field>
    );
}

type Area = Outside & Told<HTMLTextAreaElement> & { area?: RefObject<HTMLTextAreaElement | null> };

export function AreaField({ label, hint, whole = true, area, rows = 4, ...rest }: Area) {
    return (
        <Field label={label} hint={hint} whole={whole}>
            {(attributes) => (
                <textarea
                    rows={rows}
                    spellcheck={false}
                    {...(area ? { ref: area } : {})}
                    {...rest}
                    {...attributes}
                />
            )}
        </Field>
    );
}

type Select = Outside &
    Pick<Told<HTMLSelectElement>, "name" | "value" | "onChange"> & {
        /** Values with their words. */
        choices: readonly (readonly [string, string])[];
    };

export function SelectField({ label, hint, whole, choices, value, ...rest }: Select) {
    return (
        <Field label={label} hint={hint} whole={!!whole}>
            {(attributes) => (
                <select {...rest} {...attributes}>
                    {choices.map(([choice, words]) => (
                        <option key={choice} value={choice} selected={choice === value}>
                            {words}
                        </option>
                    ))}
                </select>
            )}
        </Field>
    );
}

interface PickProps<T> {
    label: string;
    /** Values with their words. */
    choices: readonly (readonly [T, string])[];
    value: T | undefined;
    pick: (value: T) => void;
}

/** A choice that holds at once, with its label beside it. */
export function Pick<T extends string | number>({ label, choices, value, pick }: PickProps<T>) {
    const id = useId();
    return (
        <div class="pick">
            <label for={id}>{label}</label>
            <select
                id={id}
                onChange={({ currentTarget }) => pick(choices[currentTarget.selectedIndex]![0])}
            >
                {choices.map(([choice, words]) => (
                    <option key={choice} value={choice} selected={choice === value}>
                        {words}
                    </option>
                ))}
            </select>
        </div>
    );
}

interface CheckProps {
    label: ComponentChildren;
    name: string;
    defaultChecked?: boolean;
}

export function CheckField({ label, ...rest }: CheckProps) {
    return (
        <label class="check">
            <input type="checkbox" {...rest} />
            <span>{label}</span>
        </label>
    );
}
