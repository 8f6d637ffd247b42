// A list that comes in pages from the broker, each page asked for by the cursor of the one before.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../api/operations.ts";
import { useHear, type Topic } from "../bus.ts";
import { Pick } from "./form.tsx";
import { useLoad } from "./load.ts";
import { ProblemNote } from "./problem.tsx";
import { Table, type Column, type Order } from "./table.tsx";

const SIZES = [25, 50, 100, 250].map((size) => [size, String(size)] as const);

interface ListProps<T> {
    caption: string;
    /** What the list depends on: with another key it begins at its first page. */
    of: string;
    ask: (page: { limit: number; cursor?: string }, signal: AbortSignal) => Promise<Page<T>>;
    columns: readonly Column<T>[];
    keyOf: (item: T) => string;
    empty: ComponentChildren;
    everyMs?: number;
    /** When this tells something, it is asked again. */
    heeds?: Topic;
    order?: Order;
    onOrder?: (order: Order) => void;
}

export function List<T>(props: ListProps<T>) {
    const { caption, of, ask, columns, keyOf, empty, everyMs = 5000, heeds, order, onOrder } = props;
    const [size, setSize] = useState(50);
    const [kept, setCursors] = useState<{ of: string; cursors: string[] }>({ of, cursors: [] });
    const cursors = kept.of === of ? kept.cursors : [];
    const setPage = (cursors: string[]) => setCursors({ of, cursors });
    const cursor = cursors.at(-1);
    const page = { limit: size, ...(cursor === undefined ? {} : { cursor }) };
    const key = JSON.stringify([of, page]);
    const { data, problem, isBusy, reload } = useLoad(key, (signal) => ask(page, signal), everyMs);
    useSoon(heeds, reload);

    const next = data?.next;
    return (
        <div class="list">
            {problem && <ProblemNote problem={problem} again={reload} />}
            {data && (
                <>
                    <Table
                        caption={caption}
                        columns={columns}
                        items={data.items}
                        keyOf={keyOf}
                        empty={empty}
                        isBusy={isBusy}
                        {...(order && onOrder ? { order, onOrder } : {})}
                    />
                    <Pager
                        page={cursors.length + 1}
                        size={size}
                        onSize={(size) => {
                            setSize(size);
                            setPage([]);
                        }}
                        {...(cursors.length ? { back: () => setPage(cursors.slice(0, -1)) } : {})}
                        {...(next ? { on: () => setPage([...cursors, next]) } : {})}
                    />
                </>
            )}
            {!data && !problem && <p class="empty">Loading…</p>}
        </div>
    );
}

/** However much is told at once, it is asked once. */
const SOON_MS = 250;

function useSoon(topic: Topic | undefined, reload: () => void) {
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    useHear(topic, () => {
        timer.current ??= setTimeout(() => {
            timer.current = undefined;
            reload();
        }, SOON_MS);
    });
    useEffect(() => () => clearTimeout(timer.current), []);
}

interface PagerProps {
    page: number;
    size: number;
    onSize: (size: number) => void;
    back?: () => void;
    on?: () => void;
}

function Pager({ page, size, onSize, back, on }: PagerProps) {
    // A disabled button would lose the focus to nowhere.
    return (
        <nav class="pager" aria-label="Pages">
            <button type="button" aria-disabled={!back} onClick={() => back?.()}>
                ‹ Previous
            </button>
            <span role="status">Page {page}</span>
            <button type="button" aria-disabled={!on} onClick={() => on?.()}>
                Next ›
            </button>
            <Pick label="Rows" choices={SIZES} value={size} pick={onSize} />
        </nav>
    );
}
