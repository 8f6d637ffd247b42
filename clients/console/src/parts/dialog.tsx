// Dialogs: one at a time, above the page, closed by Escape.
import { signal } from "@preact/signals";
import { Fragment, type ComponentChildren, type VNode } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "../api/call.ts";
import { ProblemNote } from "./problem.tsx";
import { say } from "./toast.tsx";

const shown = signal<VNode | null>(null);
let count = 0;

export function show(dialog: VNode) {
    // One that follows another is another, even of the same kind.
    count += 1;
    shown.value = <Fragment key={count}>{dialog}</Fragment>;
}

export function hide() {
    shown.value = null;
}

export const DialogHost = () => shown.value;

interface DialogProps {
    title: string;
    /** Whether it stays until a button is pressed. */
    stays?: boolean;
    wide?: boolean;
    children: ComponentChildren;
}

export function Dialog({ title, stays, wide, children }: DialogProps) {
    const box = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const { activeElement } = document;
        box.current?.showModal();
        box.current?.querySelector<HTMLElement>("[data-first]")?.focus();
        return () => {
            // What was pressed to open it may be gone by now.
            const isThere = activeElement instanceof HTMLElement && activeElement.isConnected;
            if (isThere) activeElement.focus();
        };
    }, []);
    return (
        <dialog
            ref={box}
            class={wide ? "wide" : ""}
            aria-labelledby={id}
            onCancel={(event) => {
                event.preventDefault();
                if (!stays) hide();
            }}
        >
            <h2 id={id}>{title}</h2>
            {children}
        </dialog>
    );
}

export interface Question {
    title: string;
    /** What will happen, and whether it can be undone. */
    text: ComponentChildren;
    /** The word on the button. */
    action: string;
    /** Does it; the text that it gives is said afterwards. */
    run: () => Promise<string | void>;
}

/** Asks before something is done that cannot be undone. */
export function askFirst(question: Question) {
    show(<Confirm {...question} />);
}

function Confirm({ title, text, action, run }: Question) {
    const [isBusy, setBusy] = useState(false);
    const [problem, setProblem] = useState<Problem>();
    const confirm = async () => {
        setBusy(true);
        setProblem(undefined);
        try {
            const done = await run();
            hide();
            if (done) say(done);
        } catch (error) {
            setProblem(asProblem(error));
            setBusy(false);
        }
    };
    return (
        <Dialog title={title}>
            <div class="text">{text}</div>
            {problem && <ProblemNote problem={problem} />}
            <div class="actions">
                {/* Who presses Enter without reading changes nothing. */}
                <button type="button" data-first onClick={hide}>
                    Cancel
                </button>
                <button type="button" class="danger" disabled={isBusy} onClick={confirm}>
                    {action}
                </button>
            </div>
        </Dialog>
    );
}
