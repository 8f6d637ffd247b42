// Tables that can be sorted by the broker.
import type { ComponentChildren } from "preact";

export interface Column<T> {
    name: string;
    show: (item: T) => ComponentChildren;
    /** Numbers stand to the right. */
    isNumber?: boolean;
    /** What the broker calls an order by it. */
    sort?: string;
    /** Whether it names the row. */
    isHeader?: boolean;
    /** A name that is never long, and needs no more room than it takes. */
    isShort?: boolean;
    /** What it means, where its name does not say so. */
    title?: string;
}

export interface Order {
    by: string;
    descending: boolean;
}

interface TableProps<T> {
    /** What it is a table of, for those who do not see where it stands. */
    caption: string;
    columns: readonly Column<T>[];
    items: readonly T[];
    keyOf: (item: T) => string;
    /** What is said when there are no items. */
    empty: ComponentChildren;
    isBusy?: boolean;
    order?: Order;
    onOrder?: (order: Order) => void;
}

export function Table<T>(props: TableProps<T>) {
    const { caption, columns, items, keyOf, empty, isBusy = false } = props;
    return (
        <div class="table" role="region" aria-label={caption} tabIndex={0} aria-busy={isBusy}>
            <table>
                <caption class="unseen">{caption}</caption>
                <thead>
                    <tr>
                        {columns.map((column) => (
                            <Head key={column.name} column={column} {...props} />
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {items.map((item) => (
                        <Row key={keyOf(item)} item={item} columns={columns} />
                    ))}
                </tbody>
            </table>
            {items.length === 0 && <p class="empty">{empty}</p>}
        </div>
    );
}

function Row<T>({ item, columns }: { item: T; columns: readonly Column<T>[] }) {
    return (
        <tr>
            {columns.map(({ name, show, isNumber, isHeader, isShort }) => {
                const look = isNumber ? "number" : isShort ? "unbroken" : "";
                return isHeader ? (
                    <th key={name} scope="row" class={look}>
                        {show(item)}
                    </th>
                ) : (
                    <td key={name} class={look}>
                        {show(item)}
                    </td>
                );
            })}
        </tr>
    );
}

type HeadProps<T> = TableProps<T> & { column: Column<T> };

function Head<T>({ column, order, onOrder }: HeadProps<T>) {
    const { name, sort, isNumber, title } = column;
    const look = isNumber ? "number" : "";
    if (!sort || !order || !onOrder) {
        return (
            <th scope="col" class={look} title={title}>
                {name}
            </th>
        );
    }
    const isBy = order.by === sort;
    const direction = order.descending ? "descending" : "ascending";
    // Of numbers the largest are looked for.
    const next = { by: sort, descending: isBy ? !order.descending : !!isNumber };
    return (
        <th scope="col" class={look} title={title} aria-sort={isBy ? direction : "none"}>
            <button type="button" class="sort" onClick={() => onOrder(next)}>
                {name}
                <span aria-hidden="true">{isBy ? (order.descending ? "▼" : "▲") : ""}</span>
            </button>
        </th>
    );
}
