// What was done, said for a while in a corner.
import { signal } from "@preact/signals";

const SHOWN_MS = 6000;

const said = signal<{ id: number; text: string }[]>([]);
let last = 0;

export function say(text: string) {
    const id = (last += 1);
    said.value = [...said.value, { id, text }];
    setTimeout(() => {
        said.value = said.value.filter((one) => one.id !== id);
    }, SHOWN_MS);
}

export function Toasts() {
    return (
        <div class="toasts" role="status">
            {said.value.map(({ id, text }) => (
                <p key={id}>{text}</p>
            ))}
        </div>
    );
}
