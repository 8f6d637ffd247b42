// Ports outside the range that the system hands out, so that nobody takes one during a restart.
import { createServer } from "node:net";

const [first, last] = (process.env.WHARF_TEST_PORTS ?? "10000-31999").split("-").map(Number);

export async function freePort() {
    for (;;) {
        const port = first + Math.floor(Math.random() * (last - first + 1));
        const probe = createServer();
        const isFree = await new Promise((resolve) => {
            probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
        });
        if (!isFree) continue;
        await new Promise((resolve) => probe.close(resolve));
        return port;
    }
}
