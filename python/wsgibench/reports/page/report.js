// Draws each figure when it comes near the screen, all of them for paper;
// draws again when the scheme of colours or the width changes.
(function () {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const places = Array.from(document.querySelectorAll(".plot"));

  function colour(name) {
    return getComputedStyle(document.documentElement)
      .getPropertyValue(name).trim();
  }

  function layoutOf(figure, narrow) {
    const layout = structuredClone(figure.layout);
    const grid = colour("--grid");
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis/.test(key)) {
        Object.assign(layout[key], {
          gridcolor: grid, zerolinecolor: grid, linecolor: colour("--line"),
        });
      }
    }
    return Object.assign(layout, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--text"), family: "system-ui, sans-serif",
              size: narrow ? 11 : 13 },
      margin: { l: 20, r: 20, t: 40, b: 40 },
      legend: { orientation: "h", y: -0.25 },
      hovermode: "closest",
      dragmode: narrow ? false : "zoom",
    });
  }

  function draw(place) {
    const figure = figures[Number(place.dataset.figure)];
    const narrow = place.clientWidth < 600;
    const layout = layoutOf(figure, narrow);
    const data = figure.data.map(function (trace) {
      return trace.error_x ? Object.assign({}, trace, {
        error_x: Object.assign({ color: colour("--weak") }, trace.error_x),
      }) : trace;
    });
    // The legend stands below and takes room of its own.
    layout.height += (narrow ? 22 : 10) * figure.data.length;
    return Plotly.react(place, data, layout, {
      responsive: true, displaylogo: false,
      displayModeBar: narrow ? false : "hover",
    }).then(function () {
      if (!place.dataset.drawn) {
        // ms since the page was asked for
        place.dataset.drawn = Math.round(performance.now());
      }
    });
  }

  const watcher = new IntersectionObserver(function (seen) {
    for (const one of seen) {
      if (one.isIntersecting) {
        watcher.unobserve(one.target);
        draw(one.target);
      }
    }
  }, { rootMargin: "600px" });
  places.slice(0, 1).forEach(draw);
  places.slice(1).forEach(function (place) { watcher.observe(place); });

  window.drawAll = function () {
    return Promise.all(places.map(draw));
  };
  window.addEventListener("beforeprint", window.drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener(
    "change", function () {
      places.filter(function (one) { return one.dataset.drawn; })
        .forEach(draw);
    });
})();
