/** The types of `/page/uPlot.js`, which the server takes from node_modules. */
export { default } from "uplot"
