// A chart of the last minutes, with its values in words.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { isDark } from "../theme.ts";
import { beat, times, values, type Line } from "../watch.ts";
import { short } from "../words.ts";

const HEIGHT = 180;
const FONT = "12px system-ui, sans-serif";
/** Between the lines of the grid; half a message is none. */
const STEPS = Array.from({ length: 16 }, (_, at) => 10 ** at).flatMap((one) => [
    one,
    2 * one,
    5 * one,
]);

/** The point that is looked at, in all charts. */
const pointed = signal<number | null>(null);

export interface Series {
    line: Line;
    name: string;
    /** Which of the colours of the style sheet. */
    colour: 1 | 2 | 3 | 4;
}

interface ChartProps {
    title: string;
    series: readonly Series[];
    show: (value: number) => string;
    /** The numbers beside the axis. */
    tick?: (value: number) => string;
    /** How far back, in seconds. */
    span: number;
}

export function Chart({ title, series, show, tick = short, span }: ChartProps) {
    const box = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot>(undefined);
    const dark = isDark.value;
    // What changes often is read when it is drawn; to make the chart anew would let it blink.
    const drawnSpan = useRef(span);
    drawnSpan.current = span;

    useEffect(() => {
        const element = box.current!;
        const made = new uPlot(options(element, series, tick, drawnSpan), data(series), element);
        plot.current = made;
        const resized = new ResizeObserver(() => {
            made.setSize({ width: element.clientWidth, height: HEIGHT });
        });
        resized.observe(element);
        return () => {
            resized.disconnect();
            made.destroy();
        };
    }, [series, dark]);

    const now = beat.value;
    useEffect(() => {
        plot.current?.setData(data(series));
    }, [now, span]);

    const at = pointed.value ?? times.length - 1;
    return (
        <section class="card chart">
            <h2>{title}</h2>
            <dl class="legend">
                {series.map(({ line, name, colour }) => {
                    const value = values[line][at];
                    return (
                        <div key={line} class={`series-${colour}`}>
                            <dt>{name}</dt>
                            <dd>{value === null || value === undefined ? "–" : show(value)}</dd>
                        </div>
                    );
                })}
            </dl>
            {/* What it shows is in the list above it, too. */}
            <div class="plot" ref={box} aria-hidden="true" />
        </section>
    );
}

function data(series: readonly Series[]): uPlot.AlignedData {
    return [times, ...series.map(({ line }) => values[line])];
}

/** A colour of the style sheet, as a canvas takes it. */
function colourOf(element: HTMLElement, name: string): string {
    const probe = document.createElement("i");
    probe.className = name;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
}

function options(
    element: HTMLElement,
    series: readonly Series[],
    tick: (value: number) => string,
    span: { current: number },
): uPlot.Options {
    const quiet = colourOf(element, "quiet");
    const line = colourOf(element, "rule");
    const axis = {
        stroke: quiet,
        font: FONT,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
    };
    return {
        width: element.clientWidth,
        height: HEIGHT,
        padding: [8, 10, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, sync: { key: "console" } },
        scales: {
            x: {
                range: () => {
                    const now = Date.now() / 1000;
                    return [now - span.current, now];
                },
            },
            y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
        },
        axes: [
            { ...axis, size: 22, values: clocks },
            { ...axis, size: 60, incrs: STEPS, values: (_, ticks) => ticks.map(tick) },
        ],
        series: [
            {},
            ...series.map(({ name, colour }) => ({
                label: name,
                stroke: colourOf(element, `series-${colour}`),
                width: 1.75,
                points: { show: false },
            })),
        ],
        hooks: {
            setCursor: [
                ({ cursor }) => {
                    pointed.value = cursor.idx ?? null;
                },
            ],
        },
    };
}

/** Half a time, less what is left free at the end. */
const CUT_PIXELS = 20;

/** The times of an axis, without one that would be cut off at its end. */
function clocks(plot: uPlot, ticks: number[]): string[] {
    const end = plot.over.clientWidth - CUT_PIXELS;
    return ticks.map((tick) => (plot.valToPos(tick, "x") > end ? "" : clock(tick)));
}

/** A time of an axis; seconds only where there are some. */
function clock(seconds: number): string {
    const text = new Date(seconds * 1000).toTimeString().slice(0, 8);
    return text.endsWith(":00") ? text.slice(0, 5) : text;
}
