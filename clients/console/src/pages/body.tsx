// Bodies of messages: text, JSON set out, octets in hexadecimal.

interface Body {
    text?: string | null;
    base64?: string | null;
    content_type?: string;
}

const SHOWN_MAX = 20_000;
const PREVIEW_MAX = 160;

function octetsOf(base64: string): Uint8Array {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** What a list shows of a body. */
export function firstLine({ text, base64 }: Body): string {
    if (base64) return `octets: ${[...octetsOf(base64.slice(0, 64))].map(hex).join(" ")}`;
    return text?.slice(0, PREVIEW_MAX).replaceAll(/\s+/g, " ") || "(empty)";
}

const hex = (octet: number) => octet.toString(16).padStart(2, "0");

/** Sixteen octets a line, with what they are as ASCII. */
function dump(octets: Uint8Array): string {
    const lines: string[] = [];
    for (let at = 0; at < octets.length; at += 16) {
        const line = [...octets.subarray(at, at + 16)];
        const signs = line.map((one) => (one > 31 && one < 127 ? String.fromCharCode(one) : "."));
        const offset = at.toString(16).padStart(6, "0");
        lines.push(`${offset}  ${line.map(hex).join(" ").padEnd(47)}  ${signs.join("")}`);
    }
    return lines.join("\n");
}

/** JSON with a line for each of its parts; what is none stays as it is. */
function setOut(text: string): string {
    if (!/^\s*[[{]/.test(text)) return text;
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
}

export function BodyOf({ text, base64 }: Body) {
    const whole = base64 ? dump(octetsOf(base64)) : setOut(text ?? "");
    if (!whole) return <p class="empty">The body is empty.</p>;
    const rest = whole.length - SHOWN_MAX;
    return (
        <>
            <pre tabIndex={0} aria-label="Body">
                {whole.slice(0, SHOWN_MAX)}
            </pre>
            {rest > 0 && <p class="quiet">And {rest} characters more.</p>}
        </>
    );
}
