// The API documentation: Swagger UI on the description that this server makes of itself.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("api-docs");
  const token = document.querySelector("meta[name=csrf-token]");
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.url,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    // Who is signed in tries operations with their session, which needs the CSRF token; a bearer token needs nothing.
    requestInterceptor: (request) => {
      if (token && !request.headers.Authorization) request.headers["X-CSRFToken"] = token.content;
      return request;
    },
  });
});
