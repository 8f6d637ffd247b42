// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value: number) => whole.format(value);
export const short = (value: number) => compact.format(value);

/** A number with its noun: `1 message`, `2,000 messages`. */
export function counted(value: number, noun: string): string {
    const many = /(s|x|ch|sh)$/.test(noun) ? `${noun}es` : noun.replace(/y$/, "ie") + "s";
    return `${count(value)} ${value === 1 ? noun : many}`;
}

/** Events in a second. */
export function rate(value: number): string {
    return value > 0 && value < 9.95 ? value.toFixed(1) : whole.format(value);
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

export function bytes(value: number): string {
    let at = 0;
    while (value >= 999.5 && at < UNITS.length - 1) {
        value /= 1000;
        at += 1;
    }
    return `${at > 0 && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[at]}`;
}

const SPANS: [string, number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
];

/** The two largest units of a length of time: `2 h 5 min`. */
export function span(ms: number): string {
    if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
    const first = SPANS.findIndex(([, unit]) => ms >= unit);
    const parts: string[] = [];
    for (const [name, unit] of SPANS.slice(first, first + 2)) {
        const whole = Math.floor(ms / unit);
        if (whole) parts.push(`${whole} ${name}`);
        ms -= whole * unit;
    }
    return parts.join(" ");
}

/** In local time, the same everywhere: `2026-11-27 03:42:58`. */
export function moment(ms: number): string {
    const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
    return local.toISOString().slice(0, 19).replace("T", " ");
}

/** `in 2 h 5 min` or `3 s ago`. */
export function relative(ms: number, now = Date.now()): string {
    const away = ms - now;
    if (Math.abs(away) < 1000) return "now";
    return away > 0 ? `in ${span(away)}` : `${span(-away)} ago`;
}
