// The last half minute of a pane: what came above the line, what was sent below it, and red where
// there was no wire.

const BIN_MS = 250;
const BINS = 120;
/** A burst is the point of the picture, and must not make everything else invisible. */
const height = (count, most) => Math.sqrt(count / most);
/** What a bin has to hold to be as high as the chart, at least. */
const MOST_MIN = 12;

const now = () => Math.floor(performance.now() / BIN_MS);
const emptyBin = (isDown) => ({ received: 0, sent: 0, isDown });

export class Chart {
    #bins = Array.from({ length: BINS }, () => emptyBin(false));
    #last = now();
    #isDown = false;

    constructor(canvas) {
        this.canvas = canvas;
        this.context = canvas.getContext("2d");
    }

    /** The bin of this moment. */
    #bin() {
        for (const end = now(); this.#last < end; this.#last += 1) {
            this.#bins.push(emptyBin(this.#isDown));
            // A page that was asleep has more to catch up with than there is to see.
            this.#bins.splice(0, this.#bins.length - BINS);
        }
        return this.#bins.at(-1);
    }

    add(what) {
        this.#bin()[what] += 1;
    }

    wire(isDown) {
        this.#isDown = isDown;
        this.#bin().isDown ||= isDown;
    }

    draw() {
        this.#bin();
        const { canvas, context } = this;
        const scale = devicePixelRatio;
        const [wide, high] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
        if (canvas.width !== wide || canvas.height !== high) {
            Object.assign(canvas, { width: wide, height: high });
        }
        context.clearRect(0, 0, wide, high);
        const style = getComputedStyle(canvas);
        const colour = (name) => style.getPropertyValue(name);
        const [step, middle] = [wide / BINS, Math.round(high * 0.68)];
        const count = ({ received, sent }) => Math.max(received, sent);
        const most = Math.max(MOST_MIN, ...this.#bins.map(count));
        const bar = (at, top, bottom, paint) => {
            context.fillStyle = paint;
            const [left, right] = [Math.round(at * step), Math.round((at + 1) * step)];
            context.fillRect(left, top, Math.max(1, right - left - scale), bottom - top);
        };
        this.#bins.forEach(({ received, sent, isDown }, at) => {
            if (isDown) bar(at, 0, high, colour("--down"));
            bar(at, middle - middle * height(received, most), middle, colour("--accent"));
            bar(at, middle, middle + (high - middle) * height(sent, most), colour("--soft"));
        });
        context.fillStyle = colour("--line");
        context.fillRect(0, middle, wide, scale);
    }
}
