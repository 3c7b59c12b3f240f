"use strict";
// What the end of a call says: 4000, it is over; 4001, once more from the start.
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given);
    this.addEventListener("close", (event) => {
      if (event.code === 4000) window.location.assign("./");
      if (event.code === 4001) window.location.reload();
    });
  }
};
