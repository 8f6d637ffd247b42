// A list of prices that is live, and says so when it is not.
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { connect } from "../dist/index.js";

function useTopic(url, address, options) {
    const [items, setItems] = useState([]);
    const [state, setState] = useState("connecting");
    useEffect(() => {
        const gone = new AbortController();
        void (async () => {
            const client = await connect(url, { ...options, signal: gone.signal });
            client.addEventListener("state", ({ detail }) => setState(detail.state));
            for await (const delivery of client.receive(address, { signal: gone.signal })) {
                setItems((before) => [...before.slice(-99), { id: delivery.id, ...delivery.json() }]);
                void delivery.ack();
            }
        })();
        return () => gone.abort();
    }, [url, address]);
    return [items, state];
}

export function Prices({ url, options }) {
    const [prices, state] = useTopic(url, "topic/prices", options);
    return (
        <section>
            <p>{state}</p>
            <ul>
                {prices.map(({ id, share, price }) => (
                    <li key={id}>
                        {share}: {price}
                    </li>
                ))}
            </ul>
        </section>
    );
}

export const mount = (element, url, options) => createRoot(element).render(<Prices url={url} options={options} />);
