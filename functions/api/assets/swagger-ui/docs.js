"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  // A token typed in here is gone with the page.
  persistAuthorization: false,
  // No look-up at a server of other people's.
  validatorUrl: null,
});
