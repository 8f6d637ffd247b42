// What the page runs: rhea over the browser's own WebSocket, and the cases of node.
import rhea from "rhea";
import { run } from "../rhea/run.mjs";
import { BaseWorld } from "../rhea/world.mjs";

class World extends BaseWorld {
    // The page is of another host than the broker, which has to let its origin in.
    details({ proxy } = {}) {
        const url = new URL(proxy ? this.given.proxy : this.given.url);
        const connect = rhea.websocket_connect(WebSocket);
        const { user: username, password } = this.given;
        return { username, password, hostname: url.hostname, connection_details: connect(url.href, ["amqp"]) };
    }

    control(what) {
        return window.control(what);
    }
}

window.run = (given, wanted) =>
    run(World, given, wanted, (line) => {
        const item = document.createElement("li");
        item.textContent = line;
        item.className = line.split(" ")[0];
        document.querySelector("#cases").append(item);
        return window.say(line);
    });
