const ws = new WebSocket("ws://127.0.0.1:8080/ws?address=orders", "MBWS.huawei.com");
let received = 0;
ws.onopen = () => ws.send("1 0 0 ");                             // a new connection
ws.onmessage = ({ data }) => {
  if (data.startsWith("1 ")) ws.send("3 1 6 orders0 0 hello");   // to "orders", body "hello"
  if (data.startsWith("2 ")) console.log("on disk:", data);      // the broker's acknowledgement
  if (data.startsWith("3 ")) { console.log("received:", data); ws.send(`2 ${++received} `); }
};
