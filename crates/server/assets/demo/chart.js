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
        const [wide, high] = this.#size();
        const style = getComputedStyle(canvas);
        const colour = (name) => style.getPropertyValue(name);
        const [step, middle] = [wide / BINS, Math.round(high * 0.68)];
        const count = ({ received, sent }) => Math.max(received, sent);
        const most = Math.max(MOST_MIN, ...this.#bins.map(count));
        const box = (at, top, bottom, paint, gap) => {
            context.fillStyle = colour(paint);
            const [left, right] = [Math.round(at * step), Math.round((at + 1) * step)];
            context.fillRect(left, top, Math.max(1, right - left - gap), bottom - top);
        };
        context.clearRect(0, 0, wide, high);
        this.#bins.forEach(({ received, sent, isDown }, at) => {
            const [above, below] = [received, sent].map((count) => height(count, most));
            if (isDown) box(at, 0, high, "--down", 0);
            box(at, middle * (1 - above), middle, "--accent", 1);
            box(at, middle, middle + (high - middle) * below, "--soft", 1);
        });
        context.fillStyle = colour("--line");
        context.fillRect(0, middle, wide, 1);
    }

    /** In dots of the screen, which the canvas is made to have. */
    #size() {
        const { canvas } = this;
        const { clientWidth, clientHeight } = canvas;
        const size = [clientWidth, clientHeight].map((side) => Math.round(side * devicePixelRatio));
        const [width, height] = size;
        if (canvas.width !== width || canvas.height !== height) {
            Object.assign(canvas, { width, height });
        }
        return size;
    }
}
