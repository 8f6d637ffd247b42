// Everything that is tried, in this order.
import { access } from "./cases_access.mjs";
import { broker } from "./cases_broker.mjs";
import { clients } from "./cases_clients.mjs";
import { definitions } from "./cases_definitions.mjs";
import { messages } from "./cases_messages.mjs";
import { page } from "./cases_page.mjs";
import { wires } from "./cases_wires.mjs";

// The last of `broker` drains it.
export const cases = [page, messages, wires, clients, access, definitions, broker].flat();
